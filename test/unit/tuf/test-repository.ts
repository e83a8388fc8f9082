/** A real TUF repository with keys of its own, signed with the community's library and kept in memory. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Metadata, MetadataKind, Signature } from '@tufjs/models'
import { onTestFinished } from 'vitest'

/** The time of the tests. */
export const now = Date.UTC(2026, 7, 22)
export const day = 86_400_000

export interface TestKey {
  readonly id: string
  readonly privateKey: KeyObject
  readonly json: object
}

export interface RootOptions {
  readonly version?: number
  readonly expires?: number
  readonly keys?: readonly TestKey[]
  readonly threshold?: number
  readonly online?: TestKey
  readonly consistentSnapshot?: boolean
  /** Who signs; default the keys of this root and of the one before. */
  readonly signers?: readonly TestKey[]
}

export interface MetadataOptions {
  readonly version?: number
  readonly expires?: number
  readonly signers?: readonly TestKey[]
  /** Fields that replace those of the signed part. */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** An ECDSA P-256 key as Sigstore's repositories have them. */
export function createKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const json = {
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    keyval: { public: publicKey.export({ format: 'pem', type: 'spki' }).toString() },
  }
  return { id: sha256(JSON.stringify(json)), privateKey, json }
}

/** Starts as version 1 of everything, with two root keys that must both sign and the targets `trusted_root.json` and `other.json`. */
export class TestRepository {
  /** What the mirror serves, by path. */
  readonly files = new Map<string, Uint8Array>()
  /** Who may sign the root now. */
  rootKeys: readonly TestKey[] = [createKey(), createKey()]
  online: TestKey = createKey()
  rootVersion = 0
  readonly #epoch: number
  #versions = { timestamp: 0, snapshot: 0, targets: 0 }
  #targets: Record<string, object> = {}
  #delegations: { readonly keys: object; readonly roles: readonly object[] } | undefined
  #delegated: Record<string, object> = {}

  constructor(epoch = now) {
    this.#epoch = epoch
    this.publishRoot()
    this.setTarget('trusted_root.json', '{"first":true}')
    this.setTarget('other.json', '{}')
    this.publish()
  }

  /** The first root, to start trusting from. */
  get firstRoot(): Uint8Array {
    return this.file('1.root.json')
  }

  file(name: string): Uint8Array {
    const bytes = this.files.get(name)
    if (bytes === undefined) throw new TypeError(`the repository has no ${name}`)
    return bytes
  }

  /** Publishes the next root. New keys take over from the ones before, who sign too. */
  publishRoot(options: RootOptions = {}): void {
    const before = this.rootKeys
    const keys = options.keys ?? before
    const version = options.version ?? this.rootVersion + 1
    const online = options.online ?? this.online
    const roleOf = (ids: readonly TestKey[], threshold: number) => ({ keyids: ids.map(({ id }) => id), threshold })
    const signed = {
      _type: 'root',
      spec_version: '1.0',
      version,
      expires: instant(options.expires ?? this.#epoch + 100 * day),
      consistent_snapshot: options.consistentSnapshot ?? true,
      keys: Object.fromEntries([...keys, online].map(({ id, json }) => [id, json])),
      roles: {
        root: roleOf(keys, options.threshold ?? 2),
        targets: roleOf([online], 1),
        snapshot: roleOf([online], 1),
        timestamp: roleOf([online], 1),
      },
    }
    this.files.set(
      `${this.rootVersion + 1}.root.json`,
      signMetadata(MetadataKind.Root, signed, options.signers ?? [...new Set([...before, ...keys])]),
    )
    this.rootVersion++
    this.rootKeys = keys
    this.online = online
  }

  setTarget(name: string, contents: string, description: object = {}): void {
    const bytes = Buffer.from(contents)
    this.#targets[name] = this.#storeTarget(name, bytes, description)
  }

  removeTarget(name: string): void {
    delete this.#targets[name]
  }

  /** Delegates paths to a role of its own with one key. */
  delegate(
    role: string,
    paths: readonly string[],
    targets: Readonly<Record<string, string>>,
    options: { readonly terminating?: boolean; readonly signers?: readonly TestKey[] } = {},
  ): void {
    const key = createKey()
    const { terminating = false, signers = [key] } = options
    const entry = { name: role, keyids: [key.id], threshold: 1, terminating, paths }
    const { keys, roles } = this.#delegations ?? { keys: {}, roles: [] }
    this.#delegations = { keys: { ...keys, [key.id]: key.json }, roles: [...roles, entry] }
    const described = Object.fromEntries(
      Object.entries(targets).map(([name, contents]) => [name, this.#storeTarget(name, Buffer.from(contents))]),
    )
    const bytes = this.#sign(MetadataKind.Targets, 1, { targets: described }, { signers })
    this.files.set(`1.${role}.json`, bytes)
    this.#delegated[`${role}.json`] = { version: 1 }
  }

  /** Publishes new targets, snapshot and timestamp. */
  publish(
    options: { readonly timestamp?: MetadataOptions; readonly snapshot?: MetadataOptions; readonly targets?: MetadataOptions } = {},
  ): void {
    const versions = {
      timestamp: options.timestamp?.version ?? this.#versions.timestamp + 1,
      snapshot: options.snapshot?.version ?? this.#versions.snapshot + 1,
      targets: options.targets?.version ?? this.#versions.targets + 1,
    }
    this.#versions = versions
    const targets = { targets: this.#targets, ...(this.#delegations === undefined ? {} : { delegations: this.#delegations }) }
    const signedTargets = this.#sign(MetadataKind.Targets, versions.targets, targets, options.targets)
    this.files.set(`${versions.targets}.targets.json`, signedTargets)
    const meta = { 'targets.json': { version: versions.targets }, ...this.#delegated }
    const snapshot = this.#sign(MetadataKind.Snapshot, versions.snapshot, { meta }, options.snapshot)
    this.files.set(`${versions.snapshot}.snapshot.json`, snapshot)
    const described = { version: versions.snapshot, length: snapshot.length, hashes: { sha256: sha256(snapshot) } }
    this.files.set(
      'timestamp.json',
      this.#sign(MetadataKind.Timestamp, versions.timestamp, { meta: { 'snapshot.json': described } }, options.timestamp),
    )
  }

  #storeTarget(name: string, bytes: Uint8Array, description: object = {}): object {
    const digest = sha256(bytes)
    const folder = name.includes('/') ? `${path.posix.dirname(name)}/` : ''
    this.files.set(`targets/${folder}${digest}.${path.posix.basename(name)}`, bytes)
    this.files.set(`targets/${name}`, bytes)
    return { length: bytes.length, hashes: { sha256: digest, sha512: createHash('sha512').update(bytes).digest('hex') }, ...description }
  }

  #sign(kind: MetadataKind, version: number, fields: object, options: MetadataOptions = {}): Uint8Array {
    const expires = instant(options.expires ?? this.#epoch + 7 * day)
    const signed = { _type: kind, spec_version: '1.0', version, expires, ...fields, ...options.fields }
    return signMetadata(kind, signed, options.signers ?? [this.online])
  }
}

/** What a server does instead of answering with the file. */
export type Misbehaviour = (response: ServerResponse) => void

export interface RunningMirror {
  readonly address: string
  /** Paths asked for, in order. */
  readonly requests: string[]
  /** By path; `*` for every path. */
  readonly misbehaviours: Map<string, Misbehaviour>
}

/** Serves a repository on 127.0.0.1 until the test ends. */
export async function serve(repository: TestRepository): Promise<RunningMirror> {
  const requests: string[] = []
  const misbehaviours = new Map<string, Misbehaviour>()
  const server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? '/').slice(1))
    requests.push(name)
    const misbehave = misbehaviours.get(name) ?? misbehaviours.get('*')
    const bytes = repository.files.get(name)
    if (misbehave !== undefined) misbehave(response)
    else if (bytes === undefined) response.writeHead(404).end('not here')
    else response.end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on no port')
  return { address: `http://127.0.0.1:${address.port}`, requests, misbehaviours }
}

/** Makes every request fail in a way that says "out of reach", at once. */
export function goOffline(mirror: RunningMirror): void {
  mirror.misbehaviours.set('*', (response) => response.writeHead(503, { 'retry-after': '3600' }).end())
}

/** Writes a repository into a folder and returns the folder's address. */
export function serveFromFolder(repository: TestRepository): string {
  const folder = temporaryFolder()
  for (const [name, bytes] of repository.files) {
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true })
    writeFileSync(path.join(folder, name), bytes)
  }
  return pathToFileURL(folder).href
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-tuf-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function signMetadata(kind: MetadataKind, signed: object, signers: readonly TestKey[]): Uint8Array {
  const document = { signed, signatures: [] }
  const metadata = parse(kind, document)
  for (const { id, privateKey } of signers) {
    metadata.sign((bytes) => new Signature({ keyID: id, sig: sign('sha256', bytes, privateKey).toString('hex') }))
  }
  return Buffer.from(JSON.stringify({ ...document, signatures: Object.values(metadata.signatures).map((signature) => signature.toJSON()) }))
}

function parse(kind: MetadataKind, document: object) {
  const json: Parameters<typeof Metadata.fromJSON>[1] = JSON.parse(JSON.stringify(document))
  switch (kind) {
    case MetadataKind.Root:
      return Metadata.fromJSON(kind, json)
    case MetadataKind.Timestamp:
      return Metadata.fromJSON(kind, json)
    case MetadataKind.Snapshot:
      return Metadata.fromJSON(kind, json)
    case MetadataKind.Targets:
      return Metadata.fromJSON(kind, json)
    default:
      throw new TypeError('there are four kinds of metadata')
  }
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
}

function sha256(contents: string | Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex')
}
