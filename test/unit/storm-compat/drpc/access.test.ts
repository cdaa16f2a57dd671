import test from 'ava'
import { UserError } from 'gearpump'
import { accessOf } from '../../../../storm-compat/drpc/access.ts'

const SIMPLE = 'org.apache.storm.security.auth.authorizer.DRPCSimpleACLAuthorizer'
const acl = { reach: { 'client.users': ['ada', 'bob'], 'invocation.user': 'storm' } }

test('without an authorizer everybody may do everything; DenyAuthorizer lets nobody in', t => {
  t.true(accessOf({}).mayCall('reach', undefined))
  t.true(accessOf({ 'drpc.authorizer': 'x.NoopAuthorizer' }).mayAnswer('reach', undefined))
  t.false(accessOf({ 'drpc.authorizer': 'x.DenyAuthorizer' }).mayCall('reach', 'ada'))
})

test('a list tells callers from topologies; functions that are not listed are open unless it is strict', t => {
  const conf = { 'drpc.authorizer': SIMPLE, 'drpc.authorizer.acl': acl }
  const access = accessOf({ ...conf, 'drpc.authorizer.acl.strict': false })
  t.true(access.mayCall('reach', 'ada'))
  t.false(access.mayCall('reach', 'storm'))
  t.false(access.mayCall('reach', undefined))
  t.true(access.mayAnswer('reach', 'storm'))
  t.false(access.mayAnswer('reach', 'ada'))
  t.true(access.mayCall('other', undefined))
  const strict = accessOf(conf)
  t.true(strict.mayCall('reach', 'bob'))
  t.false(strict.mayCall('other', 'bob'))
})

test('mistakes in a list are told together, and an unknown authorizer by its name', t => {
  const wrong = { a: { 'client.users': 'ada' }, b: 7, c: { 'invocation.user': 1 } }
  const error = t.throws<UserError>(
    () => accessOf({ 'drpc.authorizer': SIMPLE, 'drpc.authorizer.acl': wrong }),
    { instanceOf: UserError },
  )
  t.is(error?.problems.length, 3)
  t.throws(() => accessOf({ 'drpc.authorizer': 'my.Own' }), { message: /Own, which is not known/ })
})
