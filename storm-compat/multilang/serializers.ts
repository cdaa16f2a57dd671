// Which serializer a shell component speaks: said by the conf (`topology.multilang.serializer`, a Java class name or
// a short name) and, more closely, by the component's own command line, as streamparse does (`-s msgpack`).
import { UserError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { jsonSerializer } from './json-framing.ts'
import { msgpackLiteSerializer, msgpackSerializer } from './msgpack-framing.ts'
import type { Serializer } from './wire.ts'

const SETTING = 'topology.multilang.serializer'

/** Which MessagePack library: `lite` = msgpack-lite, anything else = our own codec. */
const LIBRARY_SETTING = 'wire.msgpack'

/**
 * The serializer for a component. The command's `-s json|msgpack` wins over the conf, since it is what the child will
 * do. Throws UserError SERIALIZER_UNKNOWN for a class that is neither JSON nor MessagePack.
 */
export function chooseSerializer(conf: Conf, command: readonly string[]): Serializer {
  const asked = serializerOption(command)
  if (asked === 'json') return jsonSerializer
  if (asked === 'msgpack') return msgpackOf(conf)
  const name = conf[SETTING]
  if (name === undefined || name === null || name === '') return jsonSerializer
  const simple = String(name).split('.').at(-1) ?? ''
  if (/^json(serializer)?$/i.test(simple)) return jsonSerializer
  if (/^msgpack-lite$/i.test(simple)) return msgpackLiteSerializer
  if (/message_?pack|msgpack/i.test(simple)) return msgpackOf(conf)
  throw new UserError('SERIALIZER_UNKNOWN', 'the conf names a serializer that is not known here', [
    {
      place: SETTING,
      message: `${JSON.stringify(name)} is neither JSON nor MessagePack`,
      hint:
        'known are org.apache.storm.multilang.JsonSerializer (or `json`), any class named *MessagePackSerializer ' +
        '(or `msgpack`), and `msgpack-lite`',
    },
  ])
}

function msgpackOf(conf: Conf): Serializer {
  return conf[LIBRARY_SETTING] === 'lite' ? msgpackLiteSerializer : msgpackSerializer
}

// streamparse gives all its options in one argument, others in several; `-s` of other programs has other values.
function serializerOption(command: readonly string[]): 'json' | 'msgpack' | undefined {
  const words = command.flatMap(argument => argument.split(/\s+/))
  for (let i = 0; i < words.length; i++) {
    const [option, inline] = words[i]!.split('=', 2)
    if (option !== '-s' && option !== '--serializer') continue
    const value = inline ?? words[i + 1]
    if (value === 'json' || value === 'msgpack') return value
  }
  return undefined
}
