import { equalBytes } from '../../../../src/encoding/bytes.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { leafHash, rootOf } from '../../../../src/merkle/hash.ts'
import { verifyInclusion } from '../../../../src/merkle/inclusion-proof.ts'
import { verifyConsistency } from '../../../../src/merkle/consistency-proof.ts'
import { openStorage } from '../../../../src/server/storage/storage.ts'
import { openLog } from '../../../../src/server/tile-log/open-log.ts'

test('every entry is answered with a proof in the signed tree', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'log-'))
  const clock = Date.now
  const file = path.join(folder, 'a.db')
  let storage = await openStorage({ kind: 'sqlite', file }, { clock })
  const options = { id: 'test', origin: 'x', state: 'active', signCheckpoint: () => 'x\n', clock } as const
  let log = await openLog({ ...options, storage })
  const leaves = Array.from({ length: 1000 }, (_, i) => new TextEncoder().encode(`leaf ${i}`))
  let t = performance.now()
  const added = await Promise.all(leaves.map((leaf) => log.add({ leaf })))
  console.log('1000', performance.now() - t)
  const hashes: Uint8Array[] = leaves.map(leafHash)
  for (const [i, a] of added.entries()) {
    expect(a.index).toBe(BigInt(i))
    verifyInclusion({
      leafIndex: a.index,
      treeSize: a.inclusion.head.size,
      leafHash: hashes[i]!,
      proof: a.inclusion.hashes,
      root: a.inclusion.head.rootHash,
    })
  }
  expect(equalBytes((await log.head()).rootHash, rootOf(hashes))).toBe(true)
  const again = await log.add({ leaf: leaves[3]! })
  expect(again).toMatchObject({ index: 3n, duplicate: true, leaf: leaves[3] })
  await log.close()
  await storage.close()
  storage = await openStorage({ kind: 'sqlite', file }, { clock })
  log = await openLog({ ...options, storage })
  expect((await log.head()).size).toBe(1000n)
  for (const size of [1n, 256n, 700n, 1000n]) {
    const { hashes: proof } = await log.proveInclusion(0n, size)
    verifyInclusion({ leafIndex: 0n, treeSize: size, leafHash: hashes[0]!, proof, root: rootOf(hashes.slice(0, Number(size))) })
    expect(equalBytes(await log.rootHash(size), rootOf(hashes.slice(0, Number(size))))).toBe(true)
    verifyConsistency({
      oldSize: size,
      newSize: 1000n,
      oldRoot: await log.rootHash(size),
      newRoot: (await log.head()).rootHash,
      proof: await log.proveConsistency(size, 1000n),
    })
  }
  expect(await log.indexOfLeafHash(hashes[999]!)).toBe(999n)
  expect((await log.entries(250n, 100)).map((e) => e.leaf)).toEqual(leaves.slice(250, 256))
  await log.close()
  await storage.close()
  await rm(folder, { recursive: true })
})
