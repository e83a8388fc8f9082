/**
 * The test universe: a Sigstore of its own, whose bundles may be bent in any single place *before* they are signed, so
 * that exactly one thing is wrong with them. Built without the code it tests but for its encoders.
 *
 * This is its door. Behind it, each file is one service or one format: `keys`, `certificates`, `scts`, `logs`,
 * `entry-bodies`, `timestamps`, `trusted-root`, the `services` that hold them together, `sign` for whole bundles, `legacy` for
 * what came before bundles. `mutate` and `bent` change a finished bundle as an attacker would; `verification` verifies it.
 */
export type { EntryParts } from './entry-bodies.ts'
export { namedKey, newKey } from './keys.ts'
export { legacyBundle, legacyFiles } from './legacy.ts'
export { canonical } from './logs.ts'
export type { Universe, UniverseOptions } from './services.ts'
export { epoch, universeOf } from './services.ts'
export type { Json, SignedBundle, SigningOptions, StatementOptions } from './sign.ts'
export { artifactBytes, identity, issueLeaf, issuer, predicateType, signBlob, signStatement, statementAbout } from './sign.ts'
export type { AuthorityJson, InstanceJson, TrustedRootJson } from './trusted-root.ts'
