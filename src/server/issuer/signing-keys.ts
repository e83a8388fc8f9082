/**
 * The issuer's signing keys and their rotation. A key is announced in the JWKS before it signs, so that whoever keeps the JWKS for a
 * while knows it in time, and stays there until the last token it signed has expired. Servers on one store agree, because a
 * generation can be written once only.
 */
import { createPrivateKey, generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint } from 'jose'
import type { JWK } from 'jose'
import { z } from 'zod'
import { parseJson } from '../../encoding/json.ts'
import type { Clock } from '../clock.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { Sealing } from './sealing.ts'

export type SigningAlgorithm = 'ES256' | 'RS256'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
}

export interface SigningKeys {
  /** The key that signs now. */
  current(): Promise<SigningKey>
  /** What relying parties need: every key that may have signed a token still valid, or soon will sign. No private part. */
  jwks(): Promise<{ keys: JWK[] }>
  /** Adds the next generation when its time has come, and removes those that nobody needs any more. */
  rotate(): Promise<void>
}

export interface SigningKeysOptions {
  readonly documents: DocumentStore
  readonly sealing: Sealing
  readonly clock: Clock
  readonly algorithm: SigningAlgorithm
  /** How long a key signs. */
  readonly rotationMs: number
  /** How long before that it is announced. */
  readonly announceMs: number
  /** How long after that it stays in the JWKS: longer than any token is valid. */
  readonly keepMs: number
}

interface Generation {
  readonly id: string
  readonly number: number
  readonly activeFromMs: number
  readonly publicKey: JWK
  readonly key: SigningKey
}

const collection = 'issuer-keys'
/** Another server on the same store may have added a generation; it is announced for much longer than this. */
const refreshMs = 30_000

const stored = z.object({
  activeFromMs: z.number(),
  algorithm: z.enum(['ES256', 'RS256']),
  publicKey: z.record(z.string(), z.unknown()),
  privateKey: z.string(),
})

/**
 * Opens the keys. Where there is none the first is made beside whatever else starts, and waited for where it is needed.
 * @throws CountersignError KEY_DECRYPTION_FAILED when they were sealed with another secret
 */
export async function openSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { clock } = options
  let generations: readonly Generation[] = []
  let loadedMs = Number.NEGATIVE_INFINITY
  let advancing: Promise<readonly Generation[]> | undefined
  const advanceAndKeep = async (): Promise<readonly Generation[]> => {
    generations = await advance(options)
    loadedMs = clock()
    return generations
  }
  const refresh = async (): Promise<readonly Generation[]> => {
    if (Math.abs(clock() - loadedMs) < refreshMs) return generations
    advancing ??= advanceAndKeep().finally(() => {
      advancing = undefined
    })
    return advancing
  }
  const isNew = (await load(options)).length === 0
  const opened = refresh()
  // An RSA key can take a second to make. Whoever is first to need it asks again, and is told what went wrong.
  if (isNew) opened.catch(() => undefined)
  else await opened
  return {
    current: async () => activeAt(await refresh(), clock()).key,
    jwks: async () => ({ keys: (await refresh()).map(({ publicKey }) => publicKey) }),
    rotate: async () => {
      loadedMs = Number.NEGATIVE_INFINITY
      await refresh()
    },
  }
}

/** The generations to be published now, after making the next and removing old ones. */
async function advance(options: SigningKeysOptions): Promise<readonly Generation[]> {
  const { clock, documents, rotationMs, announceMs } = options
  let generations = await load(options)
  let newest = generations.at(-1)
  // Another algorithm was configured: its key takes over as soon as it was announced for long enough.
  const due = newest === undefined || newest.key.algorithm !== options.algorithm || clock() >= newest.activeFromMs + rotationMs - announceMs
  if (due) {
    const activeFromMs = newest === undefined ? clock() : Math.max(clock() + announceMs, newest.activeFromMs)
    // Where another server was faster, this changes nothing and its key is loaded.
    await add(options, (newest?.number ?? 0) + 1, activeFromMs)
    generations = await load(options)
    newest = generations.at(-1)
  }
  const needed = generations.filter((_, at) => isNeeded(generations[at + 1], options))
  for (const { id } of generations) if (!needed.some((kept) => kept.id === id)) await documents.delete(collection, id)
  return needed
}

/** A key is needed until a while after its successor became active. */
function isNeeded(successor: Generation | undefined, { clock, keepMs }: SigningKeysOptions): boolean {
  return successor === undefined || clock() < successor.activeFromMs + keepMs
}

/** The newest key that is active; the oldest of all when the clock went back to before it. */
function activeAt(generations: readonly Generation[], nowMs: number): Generation {
  const active = generations.findLast(({ activeFromMs }) => activeFromMs <= nowMs) ?? generations[0]
  if (active === undefined) throw new Error('the issuer has no key')
  return active
}

async function load({ documents, sealing }: SigningKeysOptions): Promise<readonly Generation[]> {
  const found = await documents.list(collection, 1_000)
  return found.map(({ id, json }) => {
    const { activeFromMs, algorithm, publicKey, privateKey } = stored.parse(parseJson(json, 'a key of the issuer'))
    const pem = sealing.open(privateKey, placeOf(id))
    const kid = String(publicKey['kid'])
    return { id, number: Number(id), activeFromMs, publicKey, key: { kid, algorithm, privateKey: createPrivateKey(pem) } }
  })
}

async function add({ documents, sealing, algorithm }: SigningKeysOptions, number: number, activeFromMs: number): Promise<void> {
  const id = String(number).padStart(6, '0')
  const { privateKey, publicKey } = await generate(algorithm)
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' })
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  const jwk = Object.fromEntries(members)
  const published = { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: algorithm }
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const document = { activeFromMs, algorithm, publicKey: published, privateKey: sealing.seal(pem, placeOf(id)) }
  await documents.put(collection, id, JSON.stringify(document), { ifVersion: 0 })
}

function generate(algorithm: SigningAlgorithm): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  const generatePair = promisify(generateKeyPair)
  return algorithm === 'ES256' ? generatePair('ec', { namedCurve: 'P-256' }) : generatePair('rsa', { modulusLength: 2048 })
}

function placeOf(id: string): string {
  return `signing key ${id}`
}
