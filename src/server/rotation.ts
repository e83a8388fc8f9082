/** `server rotate`: a new key for an authority or a log. What the old one has signed stays valid, up to an end. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Document } from 'yaml'
import type { KeyKind } from '../crypto/private-key.ts'
import { isSameKey } from '../crypto/public-key.ts'
import { CountersignError, UsageError } from '../error.ts'
import { certificateKey } from '../x509/certificate-key.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { Administration } from './administration.ts'
import { prepareEdit } from './configuration-edit.ts'
import { dataFiles, writeDataText } from './data-folder.ts'
import { readKeyFile, writeKeyFile } from './key-file.ts'
import type { Authority, CertifiedKey, LogMaterial } from './material.ts'
import { certifyKey, createAuthority, createLogMaterial, startOfWindow, tsaKeys } from './material.ts'
import { rememberReplacedKey, rememberSuccessor } from './rotation-memory.ts'
import { encodeChain } from './trust-targets.ts'

/** Where a new key of an authority gets its certificate from. */
export type AuthoritySource =
  /** The root that is there; without a file its key is looked for in the folder. */
  | { readonly kind: 'root'; readonly keyFile: string | undefined }
  /** A new root. */
  | { readonly kind: 'new-root' }
  /** An authority that exists elsewhere. */
  | ({ readonly kind: 'existing' } & Pick<CertifiedKey, 'key' | 'chain'>)

export interface RotationOptions {
  /** When the old key's window ends, in epoch milliseconds, where that is before now: the key leaked. */
  readonly until: number | undefined
  readonly passphrase: string | undefined
}

export interface AuthorityRotationOptions extends RotationOptions {
  readonly authority: Authority
  readonly source: AuthoritySource
  /** Of a certificate authority's new key. */
  readonly issuingKey: KeyKind
}

/** What was made. Files are relative to the data folder; instants are epoch milliseconds. */
export interface Rotation {
  readonly files: readonly string[]
  readonly since: number
  /** When the window of the old key ends. */
  readonly until: number
}

/** A certificate of ten minutes that was just given out is still used. */
const lastCertificatesMs = 15 * 60_000

/**
 * Gives an authority another key. No server may run on the data, for it would go on signing with the old one.
 * @throws UsageError USAGE for an `until` that does not fit; CountersignError KEY_MISMATCH, CERTIFICATE_EXPIRED for the root,
 *   FILE_UNREADABLE, CONFIGURATION_INVALID
 */
export async function rotateAuthority(administration: Administration, options: AuthorityRotationOptions): Promise<Rotation> {
  const { folder, clock, configuration } = administration
  const { authority, passphrase } = options
  const now = clock()
  const since = startOfWindow(now)
  const old = configuration[authority]
  const until = endOf(options.until, old, authority === 'ca' ? now + lastCertificatesMs : now)
  const made = await newAuthority(administration, options, since)
  const name = await freeName(folder, authority)
  const keyFile = `${dataFiles.keys}/${name}.key`
  const chainFile = `${dataFiles.certificates}/${name}.pem`
  const rootFile = made.rootKey === undefined ? undefined : `${dataFiles.keys}/${name.replace(authority, `${authority}-root`)}.key`
  const edit = await prepareEdit(folder, `the ${authority} cannot be rotated`, (document) => {
    const earlier = [{ chain: old.chain, since: instant(old.since), until: instant(until) }]
    for (const one of old.earlier) earlier.push({ chain: one.chain, since: instant(one.since), until: instant(one.until) })
    setAll(document, [authority], { key: keyFile, chain: chainFile, since: instant(since), earlier })
    document.deleteIn([authority, 'until'])
  })
  await writeKeyFile(path.join(folder, keyFile), made.key, passphrase)
  if (rootFile !== undefined && made.rootKey !== undefined) await writeKeyFile(path.join(folder, rootFile), made.rootKey, passphrase)
  await writeDataText(folder, chainFile, encodeChain(made.chain), 0o644)
  await edit.write()
  const replaced = administration.material[authority].key.publicKey
  if (!isSameKey(replaced, made.key.publicKey)) await rememberReplacedKey(administration.storage.documents, authority, replaced)
  return { files: [keyFile, ...(rootFile === undefined ? [] : [rootFile]), chainFile], since, until }
}

/**
 * Begins a new log in the place of the one that takes entries, which is frozen. No server may run on the data.
 * @throws UsageError USAGE when no log of the kind takes entries, or for an `until` that does not fit; CONFIGURATION_INVALID
 */
export async function rotateLog(
  { folder, clock, configuration, storage }: Administration,
  { kind, until: leaked, passphrase }: RotationOptions & { readonly kind: LogMaterial['kind'] },
): Promise<Rotation & { readonly frozen: string; readonly id: string }> {
  const at = configuration.logs.findLastIndex((log) => log.kind === kind && log.state === 'active')
  const old = configuration.logs[at]
  if (old === undefined) throw new UsageError('USAGE', `server.yaml has no log of the kind ${kind} that takes entries`)
  const now = clock()
  const since = startOfWindow(now)
  const until = endOf(leaked, old, now)
  const used = new Set([...configuration.logs.map(({ id }) => id), ...(await storage.heads.logIds())])
  const log = createLogMaterial(kind, { id: firstFree(kind, used), origin: old.origin, since })
  const keyFile = `${dataFiles.keys}/${log.id}.key`
  const edit = await prepareEdit(folder, `the log ${old.id} cannot be rotated`, (document) => {
    setAll(document, ['logs', at], { state: 'frozen', until: instant(until) })
    const treeId = log.treeId === undefined ? {} : { 'tree-id': String(log.treeId) }
    document.addIn(['logs'], document.createNode({ id: log.id, kind, origin: log.origin, key: keyFile, since: instant(since), ...treeId }))
  })
  await writeKeyFile(path.join(folder, keyFile), log.key, passphrase)
  await edit.write()
  await rememberSuccessor(storage.documents, old, log.id)
  return { files: [keyFile], since, until, frozen: old.id, id: log.id }
}

type NewAuthority = Pick<CertifiedKey, 'key' | 'chain'> & { readonly rootKey?: ReturnType<typeof createAuthority>['rootKey'] }

async function newAuthority(
  { folder, configuration, material }: Administration,
  { authority, source, issuingKey, passphrase }: AuthorityRotationOptions,
  since: number,
): Promise<NewAuthority> {
  const { hostname } = new URL(configuration.url)
  const kinds = authority === 'ca' ? ({ rootKey: 'ecdsa-p384', key: issuingKey } as const) : tsaKeys
  if (source.kind === 'new-root') return createAuthority(authority, { hostname, since, ...kinds })
  if (source.kind === 'existing') {
    const [first] = source.chain
    if (first === undefined || !isSameKey(certificateKey(parseCertificate(first)), source.key.publicKey))
      throw new CountersignError('KEY_MISMATCH', 'the chain should begin with the certificate of the key')
    return source
  }
  const last = material[authority].chain.at(-1)
  if (last === undefined) throw new CountersignError('CONFIGURATION_INVALID', `the chain of the ${authority} is empty`)
  const certificate = parseCertificate(last)
  if (certificate.notAfter <= since) {
    throw new CountersignError(
      'CERTIFICATE_EXPIRED',
      `the root expired at ${instant(certificate.notAfter)}: make a new one with --new-root`,
    )
  }
  const key =
    source.keyFile === undefined
      ? await findRootKey(folder, authority, certificateKey(certificate), passphrase)
      : await readKeyFile(source.keyFile, passphrase)
  if (key === undefined || !isSameKey(key.publicKey, certificateKey(certificate))) {
    const found = source.keyFile === undefined ? `is not in ${dataFiles.keys}` : `is another than ${source.keyFile}`
    throw new CountersignError(
      'KEY_MISMATCH',
      `the key of the root of the ${authority} ${found}: give its file with --root-key, or make a new root with --new-root`,
    )
  }
  return certifyKey(authority, { hostname, since, key: kinds.key }, { key, certificate })
}

async function findRootKey(
  folder: string,
  authority: Authority,
  wanted: ReturnType<typeof certificateKey>,
  passphrase: string | undefined,
): Promise<NewAuthority['key'] | undefined> {
  const names = await readdir(path.join(folder, dataFiles.keys))
  for (const name of names.filter((candidate) => new RegExp(`^${authority}-root(-[0-9]+)?\\.key$`).test(candidate))) {
    const key = await readKeyFile(path.join(folder, dataFiles.keys, name), passphrase)
    if (isSameKey(key.publicKey, wanted)) return key
  }
  return undefined
}

/** Of several rotations each has files of its own. */
async function freeName(folder: string, authority: Authority): Promise<string> {
  const names = [...(await readdir(path.join(folder, dataFiles.keys))), ...(await readdir(path.join(folder, dataFiles.certificates)))]
  return firstFree(authority, new Set(names.map((name) => name.replace(/\.(?:key|pem)$/, ''))))
}

function firstFree(name: string, used: ReadonlySet<string>): string {
  let number = 2
  while (used.has(`${name}-${number}`)) number++
  return `${name}-${number}`
}

/** @param now the latest end, but for one that is configured already */
function endOf(
  wanted: number | undefined,
  { since, until = Number.POSITIVE_INFINITY }: { readonly since: number; readonly until?: number | undefined },
  now: number,
): number {
  const latest = Math.min(now, until)
  if (wanted === undefined) return latest
  if (wanted > since && wanted <= latest) return wanted
  throw new UsageError(
    'USAGE',
    `--until takes an instant after ${instant(since)}, when the key was first used, and before ${instant(latest)}`,
  )
}

function setAll(document: Document, place: readonly (string | number)[], members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) document.setIn([...place, name], document.createNode(value))
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
