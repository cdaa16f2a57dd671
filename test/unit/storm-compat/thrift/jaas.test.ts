import test from 'ava'
import { jaasLogin, jaasUsers } from '../../../../storm-compat/thrift/jaas.ts'

const FILE = `// who may come in
StormServer {
  /* Storm's digest
     plug-in */
  org.apache.storm.security.auth.digest.DigestLoginModule required
    user_super="admin; {secret}"
    user_bob=plain
    debug=true;
  other.Module optional user_eve="q\\"uote";
};
StormClient { org.apache.storm.security.auth.digest.DigestLoginModule required
  username="bob" password="größe"; };
`

test('users are of the section StormServer, whatever their passwords hold', t => {
  const passwordOf = jaasUsers(FILE, 'jaas.conf')
  t.is(passwordOf('super'), 'admin; {secret}')
  t.is(passwordOf('bob'), 'plain')
  t.is(passwordOf('eve'), 'q"uote')
  t.is(passwordOf('debug'), undefined)
  t.deepEqual(jaasLogin(FILE, 'jaas.conf'), { user: 'bob', password: 'größe' })
})

test('what is no JAAS is told by its line, without the text that may be a password', t => {
  const wrong: Record<string, RegExp> = {
    '': /jaas\.conf has no section StormClient/,
    'StormServer { a required user_a="x"; };': /has no section StormClient/,
    'StormClient { a required username="x"; };': /no username or no password/,
    'StormClient {\n a required\n password=secret\n oops;\n};': /line 4 is not JAAS/,
    'StormClient { a required password="secret\n"; };': /line 1 is not JAAS/,
    'StormClient { a required password=secret; }': /line 1 is not JAAS/,
    'StormClient { a required /* password=secret; };': /line 1 is not JAAS/,
  }
  for (const [text, message] of Object.entries(wrong)) {
    const error = t.throws(() => jaasLogin(text, 'jaas.conf'), { code: 'BAD_INPUT', message })
    t.notRegex(String(error) + JSON.stringify(error), /secret/)
  }
})
