import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { openAdministration } from '../../../../src/server/administration.ts'
import { openLogs, rekorCheckpointSigners } from '../../../../src/server/server-logs.ts'
import type { ServerFolder } from './server-folder.ts'
import { createServerFolder } from './server-folder.ts'

let server: ServerFolder

beforeEach(async () => {
  server = await createServerFolder()
})
afterEach(() => server.remove())

/** Lets the server log what two people signed, one with each Rekor. */
function signTwice(): Promise<void> {
  return server.whileRunning(async (running) => {
    await server.sign(running, 'one', 'v1')
    await server.sign(running, 'two', 'v2')
  })
}

/** Adds a leaf to a log that its service would not have taken. */
async function addLeaf(logId: string, leaf: Uint8Array): Promise<void> {
  const administration = await openAdministration({ folder: server.folder, databaseUrl: undefined, passphrase: undefined, clock: Date.now })
  const [opened] = await openLogs({
    materials: administration.material.logs.filter(({ id }) => id === logId),
    storage: administration.storage,
    clock: Date.now,
    headsFolder: server.file('heads'),
    signers: { ...rekorCheckpointSigners, ctlog: () => () => Promise.reject(new Error('not this one')) },
    originOfCtLog: '',
  })
  await opened?.log.add({ leaf })
  await opened?.log.close()
  await administration.close()
}

/** Reads the only leaf of a log. */
async function readLeaf(logId: string): Promise<string> {
  const administration = await openAdministration({ folder: server.folder, databaseUrl: undefined, passphrase: undefined, clock: Date.now })
  const stored = await administration.storage.heads.load(logId)
  await administration.close()
  return Buffer.from(stored?.tail[0]?.leaf ?? []).toString('utf8')
}

function change(sql: string): void {
  const database = new Database(server.file('countersign.sqlite'))
  database.exec(sql)
  database.close()
}

test('a server that signed for people is sound, also while it runs', async () => {
  await signTwice()
  const sound = {
    exitCode: 0,
    stderr: '',
    stdout: 'ctlog-1: 2 entries, sound\nrekor-v1-1: 1 entries, sound\nrekor-v2-1: 1 entries, sound\ntuf: sound\n',
  }
  expect(await server.run(['fsck'])).toEqual(sound)
  expect(await server.run(['fsck', '--quick'])).toEqual(sound)
  await server.whileRunning(async () => expect(await server.run(['fsck'])).toEqual(sound))
})

test('what was checked is there as JSON', async () => {
  await signTwice()
  const { stdout } = await server.run(['fsck', '-o', 'json'])
  expect(JSON.parse(stdout)).toEqual({
    logs: [
      { log: 'ctlog-1', size: 2 },
      { log: 'rekor-v1-1', size: 1 },
      { log: 'rekor-v2-1', size: 1 },
    ],
    findings: [],
    cutShort: [],
  })
})

test('on a terminal it says how far it is, and leaves nothing of that behind', async () => {
  await signTwice()
  const { stderr } = await server.run(['fsck'], { columns: 80 })
  expect(stderr).toMatch(/\rctlog-1: 2 of 2 entries\u001B\[K/)
  expect(stderr.endsWith('\r\u001B[K')).toBe(true)
})

test.each([
  ['rekor-v1-1', 'hashedrekord 0.0.1'],
  ['rekor-v2-1', 'hashedrekord 0.0.2'],
])('an entry of %s whose signature does not verify is found, but not when that is left out', async (log) => {
  await signTwice()
  const leaf = await readLeaf(log)
  const digestOfAnother = Buffer.alloc(32, 7)
  const bent =
    log === 'rekor-v1-1'
      ? leaf.replace(/"value":"[0-9a-f]{64}"/, `"value":"${digestOfAnother.toString('hex')}"`)
      : leaf.replace(/"digest":"[^"]{44}"/, `"digest":"${digestOfAnother.toString('base64')}"`)
  expect(bent).not.toBe(leaf)
  await addLeaf(log, encodeUtf8(bent))
  const { exitCode, stdout, stderr } = await server.run(['fsck'])
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(new RegExp(`${log}, entry 1: verifying signature: .*; to do: stop the server and restore a backup`))
  expect(stderr).toContain('1 finding, see above')
  expect((await server.run(['fsck', '--quick'])).exitCode).toBe(0)
})

test.each(['rekor-v1-1', 'rekor-v2-1'])('an entry of %s that is none is found even when signatures are left out', async (log) => {
  await signTwice()
  await addLeaf(log, encodeUtf8('{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{}}'))
  await addLeaf(log, encodeUtf8(' {}'))
  const { exitCode, stdout } = await server.run(['fsck', '--quick'])
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(new RegExp(`${log}, entry 1: `))
  expect(stdout).toMatch(new RegExp(`${log}, entry 2: the body is not the one that this log writes`))
})

describe('damage to the database', () => {
  test.each([
    ['what is kept beside a certificate', "UPDATE extras SET extra = x'0000' WHERE log = 'ctlog-1' AND idx = 1", 'ctlog-1, entry 1: '],
    ['the issuers of certificates', "DELETE FROM documents WHERE collection = 'ct-issuers'", 'ctlog-1, entry 0: the issuer'],
    ['a leaf', "UPDATE tail_segments SET leaves = zeroblob(length(leaves)) WHERE log = 'rekor-v1-1'", 'rekor-v1-1: '],
    [
      'keys of entries',
      "DELETE FROM entry_keys WHERE log = 'rekor-v2-1'",
      'rekor-v2-1, entry 0: the leaf hash of the entry 0 should be found',
    ],
    ['a head', "UPDATE logs SET checkpoint = 'x' WHERE id = 'rekor-v2-1'", 'rekor-v2-1: '],
    [
      'a log',
      "DELETE FROM logs WHERE id = 'rekor-v2-1'",
      'rekor-v2-1: the database has 0 entries of the log rekor-v2-1, but a tree of 1 was signed',
    ],
    ['contents of the TUF repository', "DELETE FROM documents WHERE collection = 'tuf-contents'", 'tuf: the contents of '],
    [
      'contents of the TUF repository, changed',
      `UPDATE documents SET json = '{"base64":"AAAA"}' WHERE collection = 'tuf-contents'`,
      'tuf: ',
    ],
    [
      'the TUF repository',
      "DELETE FROM documents WHERE collection = 'tuf'",
      'tuf: nothing is signed for the TUF repository: the database has version 0',
    ],
  ])('to %s is found', async (_, sql, finding) => {
    await signTwice()
    change(sql)
    const { exitCode, stdout } = await server.run(['fsck'])
    expect(exitCode).toBe(1)
    expect(stdout).toContain(finding)
  })

  test('in an entry of the CT log under another time is found', async () => {
    await signTwice()
    change("UPDATE tail_segments SET timestamp_ms = timestamp_ms - 1 WHERE log = 'ctlog-1'")
    expect((await server.run(['fsck', '--quick'])).stdout).toMatch(/ctlog-1, entry 0: the leaf has the time \d+, the log \d+/)
  })
})

test.each(['ctlog-1', 'rekor-v1-1', 'rekor-v2-1'])('a checkpoint of %s that another key has signed is found', async (log) => {
  await signTwice()
  await writeFile(server.file(`keys/${log}.key`), generatePrivateKey(log === 'rekor-v2-1' ? 'ed25519' : 'ecdsa-p256').encodePem(), {
    mode: 0o600,
  })
  const { exitCode, stdout } = await server.run(['fsck'])
  expect(exitCode).toBe(1)
  expect(stdout).toContain(`${log}: the checkpoint has no signature of the key that server.yaml names; to do: restore the key file`)
})

test('a database that is older than what was signed is found, with what to do', async () => {
  await signTwice()
  await cp(server.file('countersign.sqlite'), server.file('backup.sqlite'))
  await server.whileRunning((running) => server.sign(running, 'three', 'v2'))
  await cp(server.file('backup.sqlite'), server.file('countersign.sqlite'))
  const { exitCode, stdout } = await server.run(['fsck', '-o', 'json'])
  expect(exitCode).toBe(1)
  const { findings } = JSON.parse(stdout) as { findings: { log: string; problem: string }[] }
  expect(findings.map(({ log }) => log)).toEqual(['ctlog-1', 'rekor-v2-1'])
  expect(findings[1]?.problem).toContain('countersign server recover-log --accept-rollback rekor-v2-1')
})

test('a copy of a head that is missing is found, and one that is damaged', async () => {
  await signTwice()
  await rm(server.file('heads/rekor-v1-1'))
  await writeFile(server.file('heads/rekor-v2-1'), 'damaged')
  const { stdout } = await server.run(['fsck'])
  expect(stdout).toMatch(/rekor-v1-1: the copy of the newest head, .* is missing; to do: restore the folder heads/)
  expect(stdout).toMatch(/rekor-v2-1: the copy of the newest head, .*, is not a checkpoint/)
})

test('a log that server.yaml does not name any more is found', async () => {
  await signTwice()
  const yaml = await readFile(server.file('server.yaml'), 'utf8')
  await writeFile(
    server.file('server.yaml'),
    yaml.replaceAll('rekor-v2-1', 'rekor-v2-2').replace('keys/rekor-v2-2.key', 'keys/rekor-v2-1.key'),
  )
  expect((await server.run(['fsck'])).stdout).toContain('rekor-v2-1: the database has this log, and server.yaml does not name it')
})

test('a database that is missing is not made', async () => {
  const { exitCode, stderr } = await server.run(['fsck'])
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/the database .* is missing: restore it from a backup; a server that was never started has none yet/)
  await expect(readFile(server.file('countersign.sqlite'))).rejects.toThrow('ENOENT')
})
