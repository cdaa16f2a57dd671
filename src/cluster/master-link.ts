// How workers, app masters and clients find the leader among the masters, and stay with it: whoever has to talk to "the
// master" talks through one of these. It asks each master who leads, remembers the answer, and looks again when the
// leader is gone or says that it leads no more. A leader that stands still says nothing: while a call is not answered the
// masters are asked again, and as soon as another one leads the call is made to that one.
import type { ActorRef } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import { Backoff } from '../base/backoff.ts'
import type { Environment, Timer } from '../base/environment.ts'
import { asError, EngineError, type ErrorCode } from '../base/errors.ts'
import { type Address, addressText } from '../transport/link.ts'
import type { GearDoor, LeaderCard, MasterDoor } from './messages.ts'

/** A call that met a change of leaders is repeated; all calls that go through here may be heard twice. */
const AGAIN: readonly ErrorCode[] = [
  'NOT_LEADER',
  'NO_MASTER',
  'NODE_UNREACHABLE',
  'ACTOR_NOT_FOUND',
  'ASK_TIMED_OUT',
  'STORE_UNAVAILABLE',
  'STORE_FENCED',
]
const LEADER_TIMEOUT_MS = 1000
const AGAIN_FIRST_MS = 100
const AGAIN_MAX_MS = 400
/** A new leader is noticed within this time. */
const FOLLOW_PERIOD_MS = 500
/** Who does not answer for so long may have been replaced. */
const DOUBT_MS = 1000

type Door = MasterDoor | GearDoor

export interface MasterLinkOptions {
  readonly system: ActorSystem
  readonly environment: Environment
  readonly masters: readonly Address[]
  /** Name of the actor to talk to: MASTER, or GEAR for clients. */
  readonly door: string
}

/** @typeParam D the door behind that name. */
export class MasterLink<D extends Door> {
  readonly #options: MasterLinkOptions
  #leader: ActorRef<D> | undefined = undefined
  /** Of the leader that was found last. */
  #term = 0
  /** Calls that are not answered: told of a newer leader. */
  readonly #open = new Set<(error: Error) => void>()
  #doubt: Timer | undefined = undefined
  #finding: Promise<ActorRef<D>> | undefined = undefined
  #closed = false
  /** Some master has answered. Should one refuse us later, that is its own mistake, and it may be mended. */
  #accepted = false
  readonly #waits = new Set<() => void>()

  constructor(options: MasterLinkOptions) {
    this.#options = options
  }

  /** The leader. Throws NO_MASTER, which says what each master answered, or UNAUTHORIZED when all who answer refuse us. */
  find(): Promise<ActorRef<D>> {
    if (this.#leader !== undefined) return Promise.resolve(this.#leader)
    this.#finding ??= this.#search().finally(() => {
      this.#finding = undefined
    })
    return this.#finding
  }

  async #search(): Promise<ActorRef<D>> {
    const { masters } = this.#options
    // All at once, and the first who knows is enough: one that is cut off must not keep us from the others.
    const asked = masters.map(address => this.#askOne(address))
    const card = await firstKnown(asked)
    if (card !== undefined) return this.#found(card)
    const answers = await Promise.all(asked)
    const refused = answers.find(isRefusal)
    if (refused !== undefined && !this.#accepted) throw refused
    const list = masters.map((address, i) => `${addressText(address)}: ${messageOf(answers[i])}`)
    throw new EngineError('NO_MASTER', `no master leads (${list.join('; ')})`, {
      hint: 'start one with `gear master`, or check --master and the network; with several masters, more than half must be up',
    })
  }

  // Whoever asked the one before is not answered any more, or not to any effect.
  #found({ address, term, name }: LeaderCard): ActorRef<D> {
    const leader = this.#ref(address)
    const replaced = term > this.#term
    this.#leader = leader
    this.#term = term
    if (replaced) {
      for (const refuse of [...this.#open])
        refuse(new EngineError('NOT_LEADER', `${name} leads since then`))
    }
    return leader
  }

  async #askOne(address: Address): Promise<LeaderCard | Error | undefined> {
    try {
      const leader = await this.#askLeader(this.#ref(address))
      this.#accepted = true
      return leader
    } catch (error) {
      return asError(error)
    }
  }

  // Both doors have this method.
  #askLeader(ref: ActorRef<D>): Promise<LeaderCard | undefined> {
    const door = ref as unknown as ActorRef<Pick<MasterDoor, 'leader'>>
    return door.within(LEADER_TIMEOUT_MS).ask('leader')
  }

  #ref(address: Address): ActorRef<D> {
    return this.#options.system.ref<D>({ node: address, name: this.#options.door })
  }

  /**
   * Asks the leader, and asks again while there is a change of leaders, or for one of `more` reasons, for at most
   * `forMs`.
   */
  async call<T>(
    forMs: number,
    ask: (leader: ActorRef<D>) => Promise<T>,
    more: readonly ErrorCode[] = [],
  ): Promise<T> {
    const { environment } = this.#options
    const deadlineMs = environment.monotonicMs() + forMs
    const backoff = new Backoff({ firstMs: AGAIN_FIRST_MS, maxMs: AGAIN_MAX_MS })
    while (true) {
      let leader: ActorRef<D> | undefined
      try {
        leader = await this.find()
        return await this.#answered(ask(leader))
      } catch (error) {
        // Another call may have found the next one already.
        if (isAgain(error)) this.#leader = this.#leader === leader ? undefined : this.#leader
        else if (!(error instanceof EngineError && more.includes(error.code))) throw error
        const nowMs = environment.monotonicMs()
        const waitMs = Math.max(AGAIN_FIRST_MS, backoff.failed(nowMs))
        if (this.#closed || nowMs + waitMs > deadlineMs) throw error
        await this.#wait(waitMs)
        if (this.#closed) throw error
      }
    }
  }

  // The answer, or NOT_LEADER as soon as a newer leader is heard of.
  #answered<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = () => {
        this.#open.delete(refuse)
        if (this.#open.size > 0) return
        this.#doubt?.cancel()
        this.#doubt = undefined
      }
      const refuse = (error: Error) => {
        ended()
        reject(error)
      }
      this.#open.add(refuse)
      this.#doubt ??= this.#options.environment.after(DOUBT_MS, () => void this.#lookAround())
      answer.then(value => {
        ended()
        resolve(value)
      }, refuse)
    })
  }

  async #lookAround(): Promise<void> {
    const doubt = this.#doubt
    const { masters, environment } = this.#options
    const card = await firstKnown(masters.map(address => this.#askOne(address)))
    if (card !== undefined && card.term > this.#term) this.#found(card)
    // All calls are over, or others have been made since.
    if (this.#closed || this.#doubt !== doubt) return
    this.#doubt = environment.after(DOUBT_MS, () => void this.#lookAround())
  }

  /**
   * Calls `met` for each term of a leader, now and after each change, until closed; and each `againMs` besides: a leader
   * may have taken us for lost while it was us who were paused, and then nothing here tells of it. `absent` is called
   * when there is none, once per reason.
   */
  async follow(
    againMs: number,
    met: (leader: ActorRef<D>) => Promise<void>,
    absent: (reason: string) => void = () => undefined,
  ): Promise<void> {
    const { environment } = this.#options
    let term: number | undefined
    let metMs = 0
    let told: string | undefined
    while (!this.#closed) {
      try {
        const leader = await this.find()
        const card = await this.#askLeader(leader)
        if (card === undefined) this.#leader = undefined
        else if (card.term !== term || environment.monotonicMs() - metMs >= againMs) {
          await met(this.#found(card))
          term = card.term
          metMs = environment.monotonicMs()
        }
        told = undefined
      } catch (error) {
        if (!isAgain(error)) throw error
        this.#leader = undefined
        const { message } = asError(error)
        if (message !== told && !this.#closed) absent(message)
        told = message
      }
      await this.#wait(FOLLOW_PERIOD_MS)
    }
  }

  /** What was believed of the leader is not true any more. */
  forget(): void {
    this.#leader = undefined
  }

  // Over at once when this is closed.
  #wait(ms: number): Promise<void> {
    return new Promise(resolve => {
      const over = () => {
        timer.cancel()
        this.#waits.delete(over)
        resolve()
      }
      const timer = this.#options.environment.after(ms, over)
      this.#waits.add(over)
    })
  }

  /** Calls that wait for another try fail with what the last one met. */
  close(): void {
    this.#closed = true
    for (const over of [...this.#waits]) over()
    this.#doubt?.cancel()
  }
}

function isAgain(error: unknown): boolean {
  return error instanceof EngineError && AGAIN.includes(error.code)
}

type Answer = LeaderCard | Error | undefined

// Of whoever is the first to know one; undefined when all have answered and nobody does.
function firstKnown(asked: readonly Promise<Answer>[]): Promise<LeaderCard | undefined> {
  return new Promise((resolve, reject) => {
    for (const answer of asked) {
      answer.then(card => {
        if (card !== undefined && !(card instanceof Error)) resolve(card)
      }, reject)
    }
    Promise.all(asked).then(() => resolve(undefined), reject)
  })
}

function isRefusal(answer: unknown): answer is EngineError {
  return answer instanceof EngineError && answer.code === 'UNAUTHORIZED'
}

function messageOf(answer: LeaderCard | Error | undefined): string {
  return answer instanceof Error ? answer.message : 'knows of no leader'
}
