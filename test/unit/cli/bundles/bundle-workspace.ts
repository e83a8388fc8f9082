/** A folder with what the test universe signed, and a Rekor v1 log that answers its entries, for tests of the verbs that make bundles. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { encodeRekorV1Entry } from '../../../../src/api/rekor-v1.ts'
import { readLogEntry } from '../../../../src/bundle/log-entry.ts'
import type { LogEntry } from '../../../../src/bundle/signed-entity.ts'
import { encodeHex } from '../../../../src/encoding/hex.ts'
import { parseJson } from '../../../../src/encoding/json.ts'
import { JsonFields } from '../../../../src/encoding/json-fields.ts'
import { leafHash } from '../../../../src/merkle/hash.ts'
import { startServer } from '../../http/test-server.ts'
import type { Json, SignedBundle } from '../../../support/universe/universe.ts'
import { artifactBytes, universeOf } from '../../../support/universe/universe.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

/** The parts of an answer of Rekor v1 that a test may bend. */
export interface RekorAnswer {
  body: string
  integratedTime: number
  logID: string
  logIndex: number
  verification: { inclusionProof?: { checkpoint?: string; hashes: string[]; logIndex: number; rootHash: string; treeSize: number } }
}

export interface LogDouble {
  readonly origin: string
  readonly requests: readonly string[]
}

export interface BundleWorkspace {
  readonly folder: string
  run(...argv: readonly string[]): Promise<Outcome>
  write(name: string, contents: string | Uint8Array | Json): string
  read(name: string): string
  json(name: string): Json
  modeOf(name: string): number
}

/** Makes a folder with `artifact`, `other` and `root.json` that ends with the test. */
export function createBundleWorkspace(): BundleWorkspace {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-bundles-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, contents: string | Uint8Array | Json): string => {
    const isText = typeof contents === 'string' || contents instanceof Uint8Array
    writeFileSync(path.join(folder, name), isText ? contents : JSON.stringify(contents))
    return name
  }
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
  write('artifact', artifactBytes)
  write('other', 'another artifact')
  write('root.json', universeOf().trustedRoot())
  return {
    folder,
    run: (...argv) => runCaptured(argv, { cwd: folder, env: { HOME: folder }, now: universeOf().time + 60_000 }),
    write,
    read,
    json: (name) => JSON.parse(read(name)) as Json,
    modeOf: (name) => statSync(path.join(folder, name)).mode & 0o777,
  }
}

/** Starts a log that has the entries of these signatures, each with its proof; `bend` changes its answers. */
export async function startLog(signed: readonly SignedBundle[], bend: (answer: RekorAnswer) => void = () => {}): Promise<LogDouble> {
  const entries = signed.flatMap(({ entries: list }) => list.map(entryOf))
  const answerOf = (entry: LogEntry): Record<string, RekorAnswer> => {
    const stated = encodeRekorV1Entry({ entryId: encodeHex(leafHash(entry.body)), entry, attestation: undefined })
    const answer = JSON.parse(JSON.stringify(stated)) as Record<string, RekorAnswer>
    for (const value of Object.values(answer)) bend(value)
    return answer
  }
  const retrieve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { entryUUIDs = [] } = JSON.parse(await text(request)) as { entryUUIDs?: string[] }
    const found = entries.filter(({ body }) => entryUUIDs.includes(encodeHex(leafHash(body))))
    response.end(JSON.stringify(found.map(answerOf)))
  }
  return startServer((request, response) => {
    if (request.method === 'POST') return void retrieve(request, response)
    const index = new URL(request.url ?? '', 'http://log').searchParams.get('logIndex')
    const entry = entries.find(({ logIndex }) => String(logIndex) === index)
    if (entry === undefined) response.writeHead(404).end('{"code":404,"message":"no entry"}')
    else response.end(JSON.stringify(answerOf(entry)))
  })
}

/** The bundle without the proofs of its entries, or without their checkpoints. */
export function withoutProofs({ bundle }: SignedBundle, what: 'proof' | 'checkpoint' = 'proof'): Json {
  const copy = structuredClone(bundle) as { verificationMaterial: { tlogEntries: { inclusionProof?: { checkpoint?: object } }[] } }
  for (const entry of copy.verificationMaterial.tlogEntries) {
    if (what === 'proof') delete entry.inclusionProof
    else delete entry.inclusionProof?.checkpoint
  }
  return copy
}

function entryOf(json: object): LogEntry {
  return readLogEntry(new JsonFields(parseJson(JSON.stringify(json), 'the entry'), 'entry', 'LOG_ENTRY_INVALID'))
}
