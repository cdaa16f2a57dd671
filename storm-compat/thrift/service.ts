// A service as a table of methods, and what its messages are: a call is a struct of the arguments, an answer a struct with the
// result as field 0 or one of the declared exceptions. Server and client are both written on these tables.
import { EngineError } from 'gearpump'
import { asError } from 'gearpump/spi'
import {
  type Field,
  type Fields,
  type StructType,
  type StructValue,
  struct,
  ThriftException,
} from './codec.ts'
import { FrameWriter, thriftInvalid } from './frame-bytes.ts'
import { Input, i32, Output, string, type WireType } from './wire-types.ts'

const MESSAGE = { call: 1, reply: 2, exception: 3, oneway: 4 } as const

/** What an answer says when no declared exception fits; Thrift's numbers. */
export const FAILURE = { unknownMethod: 1, internalError: 6, protocolError: 7 } as const

/** Longest name of a method that an answer repeats. */
const NAME_SHOWN_MAX = 100

export interface Method<A extends Fields, R> {
  readonly args: StructType<A>
  readonly result: WireType<R> | undefined
  /** Field of the answer -> exception. */
  readonly errors: Fields
}

export type Methods = Readonly<Record<string, Method<Fields, unknown>>>
export type ArgsOf<M> = M extends Method<infer A, unknown> ? StructValue<A> : never
export type ResultOf<M> = M extends { readonly result: infer W }
  ? W extends WireType<infer R>
    ? R
    : undefined
  : never

/** The result of a method that returns nothing. */
export const nothing = undefined

/**
 * One method by its table.
 *
 * @example method({ name: [1, string] }, nothing, { e: [1, NotAliveException] })
 */
export function method<const A extends Fields, W extends WireType<unknown> | undefined>(
  args: A,
  result: W,
  errors: Fields,
): { args: StructType<A>; result: W; errors: Fields } {
  return { args: struct('arguments', args), result, errors }
}

/** A call as it came: its arguments are still unread. */
export interface Call {
  readonly name: string
  readonly id: number
  /** True if the caller waits for no answer. */
  readonly oneway: boolean
  readonly input: Input
}

/** Thrown by a handler to refuse a call in words, where no exception of the method says it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

export function readCall(frame: Buffer): Call {
  return guarded(() => {
    const input = new Input(frame)
    const { fname, mtype, rseqid } = input.protocol.readMessageBegin()
    if (mtype !== MESSAGE.call && mtype !== MESSAGE.oneway) {
      throw thriftInvalid(`a message of type ${mtype} instead of a call`)
    }
    return { name: String(fname), id: rseqid, oneway: mtype === MESSAGE.oneway, input }
  })
}

export function readArgs<A extends Fields>(
  call: Call,
  of: { args: StructType<A> },
): StructValue<A> {
  return guarded(() => of.args.read(call.input))
}

export function writeCall<A extends Fields>(
  name: string,
  id: number,
  of: { args: StructType<A> },
  args: StructValue<A>,
): Buffer {
  return message(name, MESSAGE.call, id, output => of.args.write(output, args))
}

/** The answer with a result. */
export function writeResult(call: Call, of: Method<Fields, unknown>, result: unknown): Buffer {
  return message(call.name, MESSAGE.reply, call.id, output => {
    if (of.result !== undefined) {
      output.protocol.writeFieldBegin('success', of.result.code, 0)
      of.result.write(output, result)
    }
    output.protocol.writeFieldStop()
  })
}

/** The answer to a call that failed: a declared exception as it is, anything else as Thrift's application exception. */
export function writeError(
  call: Call,
  of: Method<Fields, unknown> | undefined,
  thrown: unknown,
): Buffer {
  if (of !== undefined && thrown instanceof ThriftException) {
    const declared = Object.values<Field>(of.errors).find(
      ([, type]) => type.name === thrown.type.name,
    )
    if (declared !== undefined) {
      return message(call.name, MESSAGE.reply, call.id, output => {
        output.protocol.writeFieldBegin('', thrown.type.code, declared[0])
        thrown.type.write(output, thrown.value)
        output.protocol.writeFieldStop()
      })
    }
  }
  return writeFailure(call, kindOf(of, thrown), asError(thrown).message)
}

export function writeFailure(
  call: { readonly name: string; readonly id: number },
  type: number,
  text: string,
): Buffer {
  const name = call.name.slice(0, NAME_SHOWN_MAX)
  return message(name, MESSAGE.exception, call.id, output =>
    ApplicationException.write(output, { message: text, type }),
  )
}

function kindOf(of: unknown, thrown: unknown): number {
  if (of === undefined || thrown instanceof Refusal) return FAILURE.unknownMethod
  const invalid = thrown instanceof EngineError && thrown.code === 'THRIFT_INVALID'
  return invalid ? FAILURE.protocolError : FAILURE.internalError
}

const ApplicationException = struct('TApplicationException', {
  message: [1, string, 'optional'],
  type: [2, i32, 'optional'],
})

/** Reads the answer to call `id`; throws what the server threw. */
export function readAnswer<M extends Method<Fields, unknown>>(
  frame: Buffer,
  name: string,
  id: number,
  of: M,
): ResultOf<M> {
  const input = new Input(frame)
  const outcome = guarded(() => {
    const { mtype, rseqid } = input.protocol.readMessageBegin()
    if (rseqid !== id) throw thriftInvalid(`an answer to call ${rseqid} instead of ${id}`)
    if (mtype === MESSAGE.exception) {
      const { message: text = 'no reason given' } = ApplicationException.read(input)
      return new EngineError('THRIFT_CALL_FAILED', `${name}: ${text}`)
    }
    return readOutcome(input, of)
  })
  if (outcome instanceof Error) throw outcome
  if (outcome === undefined && of.result !== undefined) {
    throw thriftInvalid(`the answer to ${name} holds no result`)
  }
  return outcome as ResultOf<M>
}

function readOutcome(input: Input, of: Method<Fields, unknown>): unknown {
  let outcome: unknown
  for (;;) {
    const { ftype, fid } = input.protocol.readFieldBegin()
    if (ftype === 0) return outcome
    const error = Object.values<Field>(of.errors).find(([id]) => id === fid)?.[1]
    if (error !== undefined && ftype === error.code) {
      const type = error as StructType<Fields>
      outcome = new ThriftException(type, type.read(input))
    } else if (fid === 0 && of.result?.code === ftype) outcome = of.result.read(input)
    else input.protocol.skip(ftype)
  }
}

function message(name: string, type: number, id: number, write: (output: Output) => void): Buffer {
  const bytes = new FrameWriter()
  const output = new Output(bytes)
  output.protocol.writeMessageBegin(name, type, id)
  write(output)
  output.protocol.writeMessageEnd()
  return bytes.framed()
}

// npm thrift throws errors of its own for bad versions, unknown types and depth.
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw thriftInvalid(asError(error).message)
  }
}

/** What a handler gives: its method's result, or nothing where the method has none. */
type Given<R> = [R] extends [undefined] ? void : R

/** Handlers for a table of methods, all of them; `Context` is what they know of their caller. */
export type Handlers<S extends Methods, Context> = {
  readonly [K in keyof S]: (
    args: ArgsOf<S[K]>,
    context: Context,
  ) => Given<ResultOf<S[K]>> | Promise<Given<ResultOf<S[K]>>>
}
