/** Both services, the index and the search over the log engine itself, in memory. */
import { expect, test } from 'vitest'
import { parseRekorV1Entry } from '../../../../src/api/rekor-v1.ts'
import type { SearchAnswer } from '../../../../src/api/search.ts'
import { parseBundle } from '../../../../src/bundle/bundle.ts'
import { encodeBundle } from '../../../../src/bundle/encode-bundle.ts'
import { decodeEntryBundle } from '../../../../src/merkle/entry-bundle.ts'
import { rootOf } from '../../../../src/merkle/hash.ts'
import { createNoteSigner, createRekorV1NoteSigner, signCheckpoint } from '../../../../src/merkle/note-signer.ts'
import type { NoteSigner } from '../../../../src/merkle/signed-note.ts'
import { splitTile } from '../../../../src/merkle/tile.ts'
import { createRekorV1 } from '../../../../src/server/rekor/rekor-v1.ts'
import { createRekorV2 } from '../../../../src/server/rekor/rekor-v2.ts'
import { openChecker } from '../../../../src/server/threads/signature-check.ts'
import { createThreadPool } from '../../../../src/server/threads/thread-pool.ts'
import { createFollower } from '../../../../src/server/search/follower.ts'
import { createSearch } from '../../../../src/server/search/search.ts'
import { openStorage } from '../../../../src/server/storage/storage.ts'
import type { TileLog } from '../../../../src/server/tile-log/log.ts'
import { openLog } from '../../../../src/server/tile-log/open-log.ts'
import { signerOf } from '../../../support/rekor.ts'
import { digestOf, namedKey, signWith } from '../../../support/universe/keys.ts'
import type { SignedBundle } from '../../../support/universe/sign.ts'
import { signBlob } from '../../../support/universe/sign.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { verifySigned } from '../../../support/universe/verification.ts'
import { leafOf } from '../../merkle/reference-tree.ts'

const universe = universeOf({ name: 'real log' })
const clock = (): number => universe.time + 60_000
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const key = namedKey('real log')

async function open(
  id: string,
  origin: string,
  signer: NoteSigner,
): Promise<{ log: TileLog; storage: Awaited<ReturnType<typeof openStorage>> }> {
  const storage = await openStorage({ kind: 'memory' }, { clock })
  const log = await openLog({
    id,
    origin,
    state: 'active',
    storage,
    clock,
    signCheckpoint: async (checkpoint) => signCheckpoint(checkpoint, [signer]),
  })
  return { log, storage }
}

function requestV2(data: Buffer): object {
  return {
    hashedRekordRequestV002: {
      digest: base64(digestOf('sha256', data)),
      signature: {
        content: base64(signWith(key, data)),
        verifier: { publicKey: { rawBytes: base64(key.spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
      },
    },
  }
}

function requestV1(signed: SignedBundle): object {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: hex(digestOf('sha256', signed.artifact)) } },
      signature: { content: base64(signed.signature), publicKey: { content: base64(signed.key.pem) } },
    },
  }
}

test('Rekor v2: concurrent adds with duplicates; tiles, bundles and checkpoint agree with what was answered; the search finds all', async () => {
  const signer = signerOf(universe.tiles.key)
  const { log, storage } = await open('v2', 'log1.universe.test', createNoteSigner('log1.universe.test', signer))
  const pool = createThreadPool({ size: 1 })
  const { routes } = createRekorV2({ log, publicKey: signer.publicKey, checkSignature: openChecker(pool.open) })
  const requests = Array.from({ length: 300 }, (_, at) => JSON.stringify(requestV2(Buffer.from(`${at}`))))
  const answers = await Promise.all(
    [...requests, ...requests].map(async (body) => {
      const response = await routes.request('/api/v2/log/entries', { method: 'POST', body })
      expect(response.status).toBe(201)
      return (await response.json()) as { logIndex: string; canonicalizedBody: string }
    }),
  )
  const leaves: Uint8Array[] = []
  for (const { logIndex, canonicalizedBody } of answers) leaves[Number(logIndex)] = Buffer.from(canonicalizedBody, 'base64')
  expect(leaves).toHaveLength(300)

  const read = async (path: string): Promise<Uint8Array> => Buffer.from(await (await routes.request(`/api/v2/${path}`)).arrayBuffer())
  const hashes = [...splitTile(await read('tile/0/000'), 256), ...splitTile(await read('tile/0/001.p/44'), 44)]
  expect(hashes.map(hex)).toEqual(leaves.map((leaf) => hex(leafOf(leaf))))
  const bundles = [...decodeEntryBundle(await read('tile/entries/000'), 256), ...decodeEntryBundle(await read('tile/entries/001.p/44'), 44)]
  expect(bundles.map(hex)).toEqual(leaves.map(hex))
  const [, size, root] = Buffer.from(await read('checkpoint'))
    .toString()
    .split('\n')
  expect([size, root]).toEqual(['300', base64(rootOf(hashes))])

  const follower = createFollower({ logs: [log], terms: storage.terms })
  await follower.catchUp()
  const search = createSearch({ logs: [{ log, api: 'rekor-v2', firstIndex: 0n }], terms: storage.terms })
  const found = (await (
    await search.routes.request(`/api/search?key=${hex(digestOf('sha256', key.spki))}&limit=100`)
  ).json()) as SearchAnswer
  expect(found.entries.map(({ index }) => Number(index))).toEqual(Array.from({ length: 100 }, (_, at) => 299 - at))
  expect(found.truncated).toBe(true)
  await Promise.all([follower.close(), pool.close(), log.close()])
  await storage.close()
})

test('Rekor v1: the entry of an answer, of a conflict and of every way to get it verifies', async () => {
  const signer = signerOf(universe.rekor.key)
  const { log, storage } = await open('v1', 'rekor.universe.test - 7', createRekorV1NoteSigner('rekor.universe.test', signer))
  const { routes } = createRekorV1({ active: { log, treeId: 7n, firstIndex: 0n, signer }, terms: storage.terms })
  const follower = createFollower({ logs: [log], terms: storage.terms })
  const check = async (signed: SignedBundle, response: Response): Promise<string> => {
    const { entry, entryId } = parseRekorV1Entry(Buffer.from(await response.arrayBuffer()))
    verifySigned(signed, { bundle: encodeBundle({ ...parseBundle(signed.json), logEntries: [entry] }) })
    return entryId
  }
  const post = async (path: string, body: unknown): Promise<Response> =>
    routes.request(path, { method: 'POST', body: JSON.stringify(body) })
  for (let at = 0; at < 5; at++) {
    const signed = signBlob({ universe, key, managed: true, log: 'none' }, Buffer.from(`${at}`))
    const id = await check(signed, await post('/api/v1/log/entries', requestV1(signed)))
    const conflict = await post('/api/v1/log/entries', requestV1(signed))
    expect(conflict.status).toBe(409)
    expect(await check(signed, await routes.request(conflict.headers.get('location') ?? ''))).toBe(id)
    expect(await check(signed, await routes.request(`/api/v1/log/entries?logIndex=${at}`))).toBe(id)
    await follower.catchUp()
    const ids = await post('/api/v1/index/retrieve', { hash: hex(digestOf('sha256', signed.artifact)) })
    expect(await ids.json()).toEqual([id])
  }
  await Promise.all([follower.close(), log.close()])
  await storage.close()
})
