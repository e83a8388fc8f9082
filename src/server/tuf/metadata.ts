/** Metadata of the TUF repository: made, signed, read back and checked with the community's models (TUF specification 4). */
import { Metadata, MetadataKind, Signature } from '@tufjs/models'
import { digest } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { describeKey, encodePublicKeyPem, parsePublicKeyPem } from '../../crypto/public-key.ts'
import type { LocalSigner } from '../../crypto/signer.ts'
import { decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError, messageOf, VerificationError } from '../../error.ts'
import type { TopLevelRole } from '../../tuf/metadata-file.ts'
import { summarizeMetadata } from '../../tuf/metadata-file.ts'

/** Metadata by role. */
export type RoleMetadata<Role extends TopLevelRole> = ReturnType<(typeof parsers)[Role]>

type Json = Parameters<typeof Metadata.fromJSON>[1]

const parsers = {
  root: (json: Json) => Metadata.fromJSON(MetadataKind.Root, json),
  timestamp: (json: Json) => Metadata.fromJSON(MetadataKind.Timestamp, json),
  snapshot: (json: Json) => Metadata.fromJSON(MetadataKind.Snapshot, json),
  targets: (json: Json) => Metadata.fromJSON(MetadataKind.Targets, json),
}

/** Whose signatures a role needs. */
export interface RoleKeys {
  /** ECDSA on P-256. */
  readonly keys: readonly PublicKey[]
  /** How many of them must sign; from 1 to their number. */
  readonly threshold: number
}

/** Whom a root names for each role. */
export type RootRoles = Readonly<Record<TopLevelRole, RoleKeys>>

/** A file as metadata describes it. */
export interface DescribedFile {
  readonly version: number
  readonly bytes: Uint8Array
}

/** A target as targets metadata describes it. */
export interface TargetDescription {
  readonly length: number
  readonly hashes: { readonly sha256: string }
  /** Fields of the repository's own, such as what Sigstore's older clients look files up by. */
  readonly custom?: object
}

/**
 * The identifier of a key: SHA-256 of its canonical JSON, which older clients recompute.
 * @throws CountersignError KEY_UNSUPPORTED for anything but ECDSA on P-256
 */
export function tufKeyId(key: PublicKey): string {
  const { keytype, keyval, scheme } = keyJson(key)
  // The canonical JSON of the specification keeps line breaks as they are, unlike RFC 8785.
  const canonical = `{"keytype":"${keytype}","keyval":{"public":"${keyval.public}"},"scheme":"${scheme}"}`
  return sha256Hex(encodeUtf8(canonical))
}

/** A root without signatures, with consistent snapshots. @throws CountersignError KEY_UNSUPPORTED, CONFIGURATION_INVALID */
export function createRoot(version: number, expires: number, roles: RootRoles): RoleMetadata<'root'> {
  const keys = [roles.root, roles.targets, roles.snapshot, roles.timestamp].flatMap((role) => role.keys)
  return unsigned('root', version, expires, {
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map((key) => [tufKeyId(key), keyJson(key)])),
    roles: {
      root: roleJson('root', roles.root),
      snapshot: roleJson('snapshot', roles.snapshot),
      targets: roleJson('targets', roles.targets),
      timestamp: roleJson('timestamp', roles.timestamp),
    },
  })
}

/** Whom a root names for each role. @throws DecodingError KEY_INVALID, KEY_UNSUPPORTED, PEM_INVALID for keys that this server would not make */
export function rolesOfRoot({ signed }: RoleMetadata<'root'>): RootRoles {
  const roleKeys = (role: TopLevelRole): RoleKeys => {
    const { keyIDs = [], threshold = 1 } = signed.roles[role] ?? {}
    return { keys: keyIDs.map((id) => parsePublicKeyPem(signed.keys[id]?.keyVal.public ?? '')), threshold }
  }
  return { root: roleKeys('root'), targets: roleKeys('targets'), snapshot: roleKeys('snapshot'), timestamp: roleKeys('timestamp') }
}

/** Targets metadata without signatures. @param targets by name */
export function createTargets(
  version: number,
  expires: number,
  targets: Readonly<Record<string, TargetDescription>>,
): RoleMetadata<'targets'> {
  return unsigned('targets', version, expires, { targets })
}

/** A snapshot without signatures. */
export function createSnapshot(version: number, expires: number, targets: DescribedFile): RoleMetadata<'snapshot'> {
  return unsigned('snapshot', version, expires, { meta: { 'targets.json': describe(targets) } })
}

/** A timestamp without signatures. */
export function createTimestamp(version: number, expires: number, snapshot: DescribedFile): RoleMetadata<'timestamp'> {
  return unsigned('timestamp', version, expires, { meta: { 'snapshot.json': describe(snapshot) } })
}

/**
 * Adds a signature; one with the same key is replaced.
 * @throws VerificationError TUF_UNVERIFIED for metadata without a canonical form, as with fractions; CountersignError KEY_UNSUPPORTED
 */
export function signMetadata(metadata: RoleMetadata<TopLevelRole>, signer: LocalSigner): void {
  const keyID = tufKeyId(signer.publicKey)
  let isCanonical = false
  try {
    metadata.sign((bytes) => {
      isCanonical = true
      return new Signature({ keyID, sig: encodeHex(signer.sign(bytes)) })
    })
  } catch (cause) {
    if (isCanonical) throw cause
    throw new VerificationError('TUF_UNVERIFIED', `the metadata cannot be signed: ${messageOf(cause)}`, { cause })
  }
}

/** The metadata as a file. */
export function encodeMetadata(metadata: RoleMetadata<TopLevelRole>): Uint8Array {
  return encodeUtf8(`${JSON.stringify(metadata.toJSON(), undefined, 1)}\n`)
}

/**
 * Reads a metadata file. No signature of it is checked.
 * @param what names it in messages
 * @throws VerificationError TUF_UNVERIFIED
 */
export function parseMetadata<Role extends TopLevelRole>(bytes: Uint8Array, role: Role, what: string): RoleMetadata<Role>
export function parseMetadata(bytes: Uint8Array, role: TopLevelRole, what: string): RoleMetadata<TopLevelRole> {
  summarizeMetadata(bytes, role, what)
  try {
    const json: Json = JSON.parse(decodeUtf8(bytes, what))
    return parsers[role](json)
  } catch (cause) {
    throw new VerificationError('TUF_UNVERIFIED', `${what} is not TUF metadata: ${messageOf(cause)}`, { cause })
  }
}

/** Whether enough of the keys that the root names for the role have signed. */
export function isSignedBy(root: RoleMetadata<'root'>, role: TopLevelRole, metadata: RoleMetadata<TopLevelRole>): boolean {
  try {
    root.verifyDelegate(role, metadata)
    return true
  } catch {
    return false
  }
}

/** How many of the keys that the root names for the role have signed, and how many must. */
export function countSignatures(
  root: RoleMetadata<'root'>,
  role: TopLevelRole,
  metadata: RoleMetadata<TopLevelRole>,
): { readonly signed: number; readonly threshold: number } {
  const { keyIDs = [], threshold = 1 } = root.signed.roles[role] ?? {}
  const valid = keyIDs.filter((id) => isValidSignature(root, id, metadata))
  return { signed: new Set(valid).size, threshold }
}

/** Whether the metadata has a valid signature with the key that the root has under this identifier. */
export function isValidSignature(root: RoleMetadata<'root'>, keyId: string, metadata: RoleMetadata<TopLevelRole>): boolean {
  try {
    root.signed.keys[keyId]?.verifySignature(metadata)
    return root.signed.keys[keyId] !== undefined
  } catch {
    return false
  }
}

/** When metadata expires, in epoch milliseconds. */
export function expiryOf(metadata: RoleMetadata<TopLevelRole>): number {
  return Date.parse(metadata.signed.expires)
}

/** SHA-256 in hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return encodeHex(digest('sha256', bytes))
}

function unsigned<Role extends TopLevelRole>(role: Role, version: number, expires: number, fields: object): RoleMetadata<Role>
function unsigned(role: TopLevelRole, version: number, expires: number, fields: object): RoleMetadata<TopLevelRole> {
  const instant = new Date(expires).toISOString().replace(/\.\d+Z$/, 'Z')
  const signed = { _type: role, spec_version: '1.0', version, expires: instant, ...fields }
  const json: Json = JSON.parse(JSON.stringify({ signed, signatures: [] }))
  return parsers[role](json)
}

function keyJson(key: PublicKey) {
  if (key.kind !== 'ecdsa' || key.curve !== 'P-256') {
    throw new CountersignError('KEY_UNSUPPORTED', `keys of the TUF repository should be ECDSA keys on P-256, found ${describeKey(key)}`)
  }
  return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: encodePublicKeyPem(key) } } as const
}

function roleJson(role: TopLevelRole, { keys, threshold }: RoleKeys): object {
  const keyids = [...new Set(keys.map(tufKeyId))]
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keyids.length) {
    const message = `the ${role} role should need from 1 to all of its ${keyids.length} keys, found a threshold of ${threshold}`
    throw new CountersignError('CONFIGURATION_INVALID', message)
  }
  return { keyids, threshold }
}

function describe({ version, bytes }: DescribedFile): object {
  return { version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } }
}
