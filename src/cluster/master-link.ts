// How workers, app masters and clients find the leader among the masters, and stay with it: whoever has to talk to "the
// master" talks through one of these. It asks each master who leads, remembers the answer, and looks again when the
// leader is gone or says that it leads no more.
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
  #finding: Promise<ActorRef<D>> | undefined = undefined
  #closed = false
  /** Some master has answered. Should one refuse us later, that is its own mistake, and it may be mended. */
  #accepted = false
  readonly #timers = new Set<Timer>()

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
    if (card !== undefined) {
      this.#leader = this.#ref(card.address)
      return this.#leader
    }
    const answers = await Promise.all(asked)
    const refused = answers.find(isRefusal)
    if (refused !== undefined && !this.#accepted) throw refused
    const list = masters.map((address, i) => `${addressText(address)}: ${messageOf(answers[i])}`)
    throw new EngineError('NO_MASTER', `no master leads (${list.join('; ')})`, {
      hint: 'start one with `gear master`, or check --master and the network; with several masters, more than half must be up',
    })
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
      try {
        return await ask(await this.find())
      } catch (error) {
        if (isAgain(error)) this.#leader = undefined
        else if (!(error instanceof EngineError && more.includes(error.code))) throw error
        const nowMs = environment.monotonicMs()
        const waitMs = Math.max(AGAIN_FIRST_MS, backoff.failed(nowMs))
        if (this.#closed || nowMs + waitMs > deadlineMs) throw error
        await this.#wait(waitMs)
      }
    }
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
          this.#leader = this.#ref(card.address)
          await met(this.#leader)
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

  #wait(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#options.environment.after(ms, () => {
        this.#timers.delete(timer)
        resolve()
      })
      this.#timers.add(timer)
    })
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
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
