import test from 'ava'
import { UserError } from 'gearpump/spi'
import { chooseSerializer } from '../../../../storm-compat/multilang/serializers.ts'

const SETTING = 'topology.multilang.serializer'
const name = (
  conf: Record<string, unknown>,
  command: readonly string[] = ['python3', 'x.py'],
): string => chooseSerializer(conf, command).name

test('P4: the class name in the conf decides', t => {
  t.is(name({}), 'json')
  t.is(name({ [SETTING]: 'org.apache.storm.multilang.JsonSerializer' }), 'json')
  t.is(name({ [SETTING]: 'backtype.storm.multilang.JsonSerializer' }), 'json')
  t.is(name({ [SETTING]: 'com.parsely.storm.MessagePackSerializer' }), 'msgpack')
  t.is(name({ [SETTING]: 'msgpack' }), 'msgpack')
  t.is(name({ [SETTING]: 'msgpack-lite' }), 'msgpack-lite')
  t.is(name({ [SETTING]: 'msgpack', 'wire.msgpack': 'lite' }), 'msgpack-lite')
})

test('P4: -s in the command wins, since it is what the child will do', t => {
  const conf = { [SETTING]: 'org.apache.storm.multilang.JsonSerializer' }
  t.is(name(conf, ['streamparse_run', '-s msgpack bolts.X']), 'msgpack')
  t.is(name(conf, ['streamparse_run', '--serializer=msgpack', 'bolts.X']), 'msgpack')
  t.is(name({ [SETTING]: 'msgpack' }, ['streamparse_run', '-s', 'json', 'bolts.X']), 'json')
  t.is(name(conf, ['python3', '-s', 'x.py']), 'json', 'a -s of another program')
})

test('an unknown class is a user error that names what is known', t => {
  const error = t.throws(() => name({ [SETTING]: 'com.jsgilmore.gostorm.ProtoShell' }), {
    instanceOf: UserError,
  })
  t.is(error.code, 'SERIALIZER_UNKNOWN')
  t.regex(
    error.message,
    /topology.multilang.serializer: "com.jsgilmore.gostorm.ProtoShell" is neither/,
  )
  t.regex(error.message, /JsonSerializer.*MessagePackSerializer.*msgpack-lite/)
})
