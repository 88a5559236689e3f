import { bool, int, listedWhenSet, planned, refused, text } from '../setting.js'

const unprotected = refused('access control is not supported yet; without it everybody would be let in')
const seconds = { ...listedWhenSet, unit: 's' } as const

/** Java's AuthConfig: users and access rules of 5.x. */
export const auth = {
  authConfigPath: text('', planned, 'Folder of users and rules.', listedWhenSet),
  authenticationEnabled: bool(false, unprotected, 'Clients must prove who they are.', listedWhenSet),
  authenticationProvider: text('', planned, 'Java class that checks them.', listedWhenSet),
  authenticationMetadataProvider: text('', planned, 'Java class that keeps users.', listedWhenSet),
  authenticationStrategy: text('', planned, 'Java class that decides how often to check.', listedWhenSet),
  authenticationWhitelist: text('', planned, 'Request codes for everybody, separated by commas.', listedWhenSet),
  initAuthenticationUser: text('', planned, 'First administrator (JSON).', listedWhenSet),
  innerClientAuthenticationCredentials: text('', planned, 'Who brokers are among themselves (JSON).', listedWhenSet),
  authorizationEnabled: bool(false, unprotected, 'Clients may do only what rules allow.', listedWhenSet),
  authorizationProvider: text('', planned, 'Java class that applies rules.', listedWhenSet),
  authorizationMetadataProvider: text('', planned, 'Java class that keeps rules.', listedWhenSet),
  authorizationStrategy: text('', planned, 'Java class that decides how often to apply them.', listedWhenSet),
  authorizationWhitelist: text('', planned, 'Request codes without rules, separated by commas.', listedWhenSet),
  migrateAuthFromV1Enabled: bool(false, planned, 'Take over plain_acl.yml.', listedWhenSet),
  userCacheMaxNum: int(1000, planned, 'Users in memory.', listedWhenSet),
  userCacheExpiredSecond: int(600, planned, 'Life of a user in memory.', seconds),
  userCacheRefreshSecond: int(60, planned, 'Age at which a user is read again.', seconds),
  aclCacheMaxNum: int(1000, planned, 'Rules in memory.', listedWhenSet),
  aclCacheExpiredSecond: int(600, planned, 'Life of a rule in memory.', seconds),
  aclCacheRefreshSecond: int(60, planned, 'Age at which a rule is read again.', seconds),
  statefulAuthenticationCacheMaxNum: int(10_000, planned, 'Checked connections in memory.', listedWhenSet),
  statefulAuthenticationCacheExpiredSecond: int(60, planned, 'Life of such a check.', seconds),
  statefulAuthorizationCacheMaxNum: int(10_000, planned, 'Decisions in memory.', listedWhenSet),
  statefulAuthorizationCacheExpiredSecond: int(60, planned, 'Life of a decision.', seconds),
}
