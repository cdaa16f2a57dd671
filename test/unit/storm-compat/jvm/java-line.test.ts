// Which line of Storm a topology's Java components belong to.
import test from 'ava'
import { cluesOf, lineOfVersion, linesOf, rootOf } from '../../../../storm-compat/jvm/java-line.ts'

test('a version names its line', t => {
  const lines = ['0.9.7', '0.10.2', '1.0.2', '1.1.0', '1.2.4', '2.8.1', '3.0.0', 'what'].map(
    lineOfVersion,
  )
  t.deepEqual(lines, ['0.9', '0.10', '1.0', '1.2', '1.2', '2', '2', undefined])
})

test('the version decides; else the package, else the numbers of classes, else any line of Apache Storm', t => {
  const none = { backtype: false, uids: [] }
  t.deepEqual(linesOf('2.8.1', [{ backtype: true, uids: [] }]), ['2'])
  t.deepEqual(linesOf(undefined, [none, { backtype: true, uids: [] }]), ['0.10', '0.9'])
  const boltOf2 = { backtype: false, uids: [-3561633051094462852n] }
  t.deepEqual(linesOf(undefined, [none, boltOf2]), ['2'])
  t.deepEqual(linesOf(undefined, [none]), ['1.0', '1.2', '2'])
})

test('bytes that cannot be read give no numbers, but may name a package', t => {
  t.deepEqual(cluesOf(Buffer.from('?')), { backtype: false, uids: [] })
  t.true(cluesOf(Buffer.from('xx backtype.storm.task.ShellBolt')).backtype)
  t.is(rootOf('0.10'), 'backtype.storm')
  t.is(rootOf('1.0'), 'org.apache.storm')
})

test('0.9 and 0.10 are told apart by objects in a component whose classes have changed', t => {
  const within = (name: string, uid: bigint) => {
    const number = Buffer.alloc(8)
    number.writeBigInt64BE(uid)
    return cluesOf(Buffer.concat([Buffer.from(`r\0\0${name}`), number]))
  }
  const stream = 'backtype.storm.generated.GlobalStreamId'
  t.deepEqual(linesOf(undefined, [within(stream, 7435893591567928871n)]), ['0.9'])
  t.deepEqual(linesOf(undefined, [within(stream, -9133290100397738193n)]), ['0.10'])
  t.deepEqual(linesOf(undefined, [within(stream, 1n)]), ['0.10', '0.9'])
  const answers = within('backtype.storm.drpc.ReturnResults', 2055228324628535122n)
  t.deepEqual(linesOf(undefined, [within(stream, 1n), answers]), ['0.9'])
  t.deepEqual(cluesOf(Buffer.from(`r\0\0${stream}1234567`)), { backtype: true, uids: [] })
})
