/** The material of a server as files of its data folder. */
import path from 'node:path'
import { stringify } from 'yaml'
import type { PrivateKey } from '../crypto/private-key.ts'
import { SharedPassword } from '../crypto/encrypted-private-key.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { parsePem } from '../encoding/pem.ts'
import { CountersignError } from '../error.ts'
import type { LogConfiguration, ServerConfiguration } from './configuration.ts'
import { dataFiles, makePrivateFolder, markFinished, markUnfinished, readDataText, writeDataText } from './data-folder.ts'
import type { Passphrase } from './key-file.ts'
import { readKeyFile, readSecretFile, writeKeyFile, writeSecretFile } from './key-file.ts'
import type { CertifiedKey, LogMaterial, NewMaterial, ServerMaterial } from './material.ts'
import { encodeChain } from './trust-targets.ts'

const keyFile = (name: string): string => `${dataFiles.keys}/${name}.key`
const chainFile = (name: string): string => `${dataFiles.certificates}/${name}.pem`
const issuerSecretFile = `${dataFiles.keys}/issuer.secret`

/** A new server's files. */
export interface WriteOptions {
  readonly folder: string
  /** Scheme, host and port. */
  readonly url: string
  readonly passphrase: string | undefined
  /** The text of the configuration of trusted issuers. */
  readonly issuers: string
}

/** Writes new material and then, last, the configuration that makes the folder that of a server. */
export async function writeMaterial(material: NewMaterial, { folder, url, passphrase, issuers }: WriteOptions): Promise<void> {
  await makePrivateFolder(folder)
  await markUnfinished(folder)
  await makePrivateFolder(path.join(folder, dataFiles.keys))
  const keys: readonly (readonly [string, PrivateKey | undefined])[] = [
    ['ca-root', material.roots.ca],
    ['ca', material.ca.key],
    ['tsa-root', material.roots.tsa],
    ['tsa', material.tsa.key],
    ...material.logs.map(({ id, key }) => [id, key] as const),
    ...Object.entries(material.tuf).map(([role, key]: [string, PrivateKey | undefined]) => [`tuf-${role}`, key] as const),
  ]
  await withPassphrase(passphrase, async (shared) => {
    // All of them come to an end before one's failure is told: who removes what was written must not be overtaken.
    const written = await Promise.allSettled(
      keys.map(async ([name, key]) => {
        if (key !== undefined) await writeKeyFile(path.join(folder, keyFile(name)), key, shared)
      }),
    )
    for (const one of written) if (one.status === 'rejected') throw one.reason
    await writeSecretFile(path.join(folder, issuerSecretFile), material.issuerSecret, shared)
  })
  await writeDataText(folder, chainFile('ca'), encodeChain(material.ca.chain), 0o644)
  await writeDataText(folder, chainFile('tsa'), encodeChain(material.tsa.chain), 0o644)
  await writeDataText(folder, dataFiles.issuers, issuers)
  await writeDataText(folder, dataFiles.configuration, configurationText(material, url))
  await markFinished(folder)
}

/** Reads the material that a configuration names. @throws CountersignError FILE_UNREADABLE, KEY_DECRYPTION_FAILED, CONFIGURATION_INVALID */
export function readMaterial(folder: string, configuration: ServerConfiguration, passphrase: string | undefined): Promise<ServerMaterial> {
  return withPassphrase(passphrase, (shared) => readFiles(folder, configuration, shared))
}

/** The files of a folder have one salt, unless they were written one by one: scrypt runs once for all of them. */
async function withPassphrase<T>(passphrase: string | undefined, use: (shared: SharedPassword | undefined) => Promise<T>): Promise<T> {
  const shared = passphrase === undefined ? undefined : new SharedPassword(encodeUtf8(passphrase))
  try {
    return await use(shared)
  } finally {
    await shared?.forget()
  }
}

async function readFiles(folder: string, configuration: ServerConfiguration, passphrase: Passphrase): Promise<ServerMaterial> {
  const key = (file: string): Promise<PrivateKey> => readKeyFile(path.resolve(folder, file), passphrase)
  const optionalKey = (file: string | undefined): Promise<PrivateKey | undefined> =>
    file === undefined ? Promise.resolve(undefined) : key(file)
  const { ca, tsa, logs, tuf, issuer } = configuration
  const [caKey, tsaKey, root, targets, snapshot, timestamp, readLogs, issuerSecret] = await Promise.all([
    readCertified(folder, ca, key),
    readCertified(folder, tsa, key),
    optionalKey(tuf.root),
    optionalKey(tuf.targets),
    key(tuf.snapshot),
    key(tuf.timestamp),
    Promise.all(logs.map(async (log) => readLog(log, await key(log.key)))),
    readSecret(path.resolve(folder, issuer.secret), passphrase),
  ])
  return { ca: caKey, tsa: tsaKey, logs: readLogs, tuf: { root, targets, snapshot, timestamp }, issuerSecret }
}

async function readCertified(
  folder: string,
  { key, chain, since, until, earlier }: ServerConfiguration['ca'],
  readKey: (file: string) => Promise<PrivateKey>,
): Promise<CertifiedKey> {
  const readChain = async (file: string): Promise<Uint8Array[]> => parsePem(await readDataText(folder, file), file).map(({ der }) => der)
  return {
    key: await readKey(key),
    chain: await readChain(chain),
    since,
    until,
    earlier: await Promise.all(earlier.map(async (one) => ({ ...one, chain: await readChain(one.chain) }))),
  }
}

function readLog({ id, kind, origin, state, since, until, 'tree-id': treeId }: LogConfiguration, key: PrivateKey): LogMaterial {
  if ((kind === 'rekor-v1') !== (treeId !== undefined)) {
    throw new CountersignError('CONFIGURATION_INVALID', `logs: ${id}: tree-id is for Rekor v1, which needs it, and for no other log`)
  }
  return { id, kind, origin, key, state, since, until, treeId: treeId === undefined ? undefined : BigInt(treeId) }
}

async function readSecret(file: string, passphrase: Passphrase): Promise<Uint8Array> {
  const secret = await readSecretFile(file, passphrase)
  if (secret.length === 32) return secret
  throw new CountersignError('CONFIGURATION_INVALID', `${file} should hold 32 bytes in hex, found ${secret.length}`)
}

function configurationText(material: NewMaterial, url: string): string {
  const instant = (ms: number): string => new Date(ms).toISOString()
  const tuf = Object.entries(material.tuf).filter(([, key]) => key !== undefined)
  return `# What this Countersign server is. Keys and certificates are files beside it; docs/self-hosting.md explains each entry.
${stringify({
  version: 1,
  url,
  ca: { key: keyFile('ca'), chain: chainFile('ca'), since: instant(material.ca.since) },
  tsa: { key: keyFile('tsa'), chain: chainFile('tsa'), since: instant(material.tsa.since) },
  logs: material.logs.map(({ id, kind, origin, since, treeId }) => ({
    id,
    kind,
    origin,
    key: keyFile(id),
    since: instant(since),
    ...(treeId === undefined ? {} : { 'tree-id': String(treeId) }),
  })),
  tuf: Object.fromEntries(tuf.map(([role]) => [role, keyFile(`tuf-${role}`)])),
  issuer: { secret: issuerSecretFile },
  issuers: dataFiles.issuers,
})}`
}
