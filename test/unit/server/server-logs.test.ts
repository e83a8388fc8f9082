import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../../src/crypto/private-key.ts'
import { ctCheckpointSigner } from '../../../src/server/ctlog/checkpoint-signer.ts'
import type { LogMaterial } from '../../../src/server/material.ts'
import { openLogs, rekorCheckpointSigners, watchAgainstHeads } from '../../../src/server/server-logs.ts'
import type { Storage } from '../../../src/server/storage/storage.ts'
import { openStorage } from '../../../src/server/storage/storage.ts'

let headsFolder: string
let storage: Storage

beforeEach(async () => {
  headsFolder = mkdtempSync(path.join(tmpdir(), 'countersign-heads-'))
  storage = await openStorage({ kind: 'memory' }, { clock: Date.now })
})
afterEach(async () => {
  await storage.close()
  rmSync(headsFolder, { recursive: true, force: true })
})

const kinds = ['ctlog', 'rekor-v1', 'rekor-v2'] as const

function material(kind: LogMaterial['kind']): LogMaterial {
  const key = generatePrivateKey(kind === 'rekor-v2' ? 'ed25519' : 'ecdsa-p256')
  return { id: `${kind}-1`, kind, origin: 'log.example', key, state: 'active', since: 0, treeId: kind === 'rekor-v1' ? 7n : undefined }
}

async function open(one: LogMaterial, originOfCtLog = 'log.example/ct') {
  const signers = { ...rekorCheckpointSigners, ctlog: ({ key }: LogMaterial) => ctCheckpointSigner(key.createSigner()) }
  const [opened] = await openLogs({ materials: [one], storage, clock: Date.now, headsFolder, signers, originOfCtLog })
  if (opened === undefined) throw new Error('no log was opened')
  return opened.log
}

async function openWithEntry(one: LogMaterial): Promise<void> {
  const log = await open(one)
  await log.add({ leaf: Uint8Array.of(1) })
  await log.close()
}

describe.each(kinds)('the %s', (kind) => {
  it('goes on with its own key', async () => {
    const one = material(kind)
    await openWithEntry(one)
    expect((await (await open(one)).head()).size).toBe(1n)
  })

  it('is not opened with the key of something else', async () => {
    const one = material(kind)
    await openWithEntry(one)
    await expect(open({ ...one, key: material(kind).key })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('signed with another key'),
    })
  })

  it('is not opened under another name', async () => {
    const one = material(kind)
    await openWithEntry(one)
    await expect(open({ ...one, origin: 'other.example' }, 'other.example/ct')).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })

  it('is not gone on with when the copy of its head is missing: the database could be an old one', async () => {
    const one = material(kind)
    await openWithEntry(one)
    rmSync(headsFolder, { recursive: true })
    await expect(open(one)).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK', message: expect.stringContaining('is missing') })
  })

  it('that has no entries yet needs no copy of its head', async () => {
    const one = material(kind)
    await (await open(one)).close()
    rmSync(headsFolder, { recursive: true })
    expect((await (await open(one)).head()).size).toBe(0n)
  })
})

describe('the clock', () => {
  const instanceOf = async (one: LogMaterial) => ({ material: one, log: await open(one) })

  it('is suspect when it is behind what was signed before the server started, and no longer', async () => {
    const one = material('rekor-v2')
    await openWithEntry(one)
    const setBack = watchAgainstHeads([await instanceOf(one)])
    expect(setBack(Date.now())).toBeUndefined()
    expect(setBack(Date.now() - 5_000)).toBeUndefined()
    expect(setBack(Date.now() - 3_600_000)).toMatch(/^it is 3[56][0-9]{2} s behind what the logs/)
  })

  it('is not known to be wrong by logs without entries', async () => {
    expect(watchAgainstHeads([await instanceOf(material('rekor-v2'))])(0)).toBeUndefined()
    expect(watchAgainstHeads([])(0)).toBeUndefined()
  })
})
