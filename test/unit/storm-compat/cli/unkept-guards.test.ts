// Daemons that storm.yaml guards in a way that is not kept here.
import test from 'ava'
import { world } from './_surroundings.ts'

const REFUSED: readonly [verb: string, setting: string, value: string][] = [
  ['nimbus', 'nimbus.authorizer', 'org.apache.storm.security.auth.authorizer.SimpleACLAuthorizer'],
  ['nimbus', 'nimbus.authorizer', 'com.example.OwnAuthorizer'],
  ['ui', 'ui.filter', 'org.apache.hadoop.security.authentication.server.AuthenticationFilter'],
  ['ui', 'ui.https.port', '8443'],
  ['drpc', 'drpc.http.filter', 'com.example.Filter'],
]

for (const [verb, setting, value] of REFUSED) {
  test(`storm ${verb} does not start with ${setting}: ${value}`, async t => {
    const w = await world(t)
    t.is(await w.run(verb, '-c', `${setting}=${value}`), 1)
    t.true(w.notes().includes(`${setting} is ${value}, which is not kept here`), w.notes())
    t.regex(w.notes(), /\n {2}.*(proxy|gateway\.usersFile|drpc\.authorizer)/)
    t.deepEqual(w.gearCalls, [])
    t.is(w.printed(), '')
  })
}

test('an authorizer that keeps nobody out is none; a transport is told of, and the Nimbus starts', async t => {
  const w = await world(t)
  const noop = 'nimbus.authorizer=org.apache.storm.security.auth.authorizer.NoopAuthorizer'
  t.is(await w.run('nimbus', '-c', noop), 7)
  t.is(await w.run('nimbus', '-c', 'nimbus.authorizer=null'), 7)
  t.is(w.notes(), '')
  const digest = 'org.apache.storm.security.auth.digest.DigestSaslTransportPlugin'
  t.is(await w.run('nimbus', '-c', `storm.thrift.transport=${digest}`), 7)
  t.regex(w.notes(), /storm\.thrift\.transport of storm\.yaml is for clients here.*usersFile/)
})
