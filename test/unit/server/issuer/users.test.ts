import { scryptSync } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { defaultScryptParameters, hashPassword, isPassword, randomPassword } from '../../../../src/server/issuer/password.ts'
import { openUsers } from '../../../../src/server/issuer/users.ts'
import type { Users } from '../../../../src/server/issuer/users.ts'
import { openStorage } from '../../../../src/server/storage/storage.ts'
import { cheapScrypt } from '../../../support/issuer.ts'

vi.mock('../../../../src/server/issuer/password.ts', { spy: true })

async function emptyUsers(ended: string[] = []): Promise<Users> {
  const { documents } = await openStorage({ kind: 'memory' }, { clock: Date.now })
  return openUsers({ documents, clock: Date.now, scrypt: cheapScrypt, endSessions: async (subject) => void ended.push(subject) })
}

describe('passwords', () => {
  test('are hashed as scrypt of RFC 7914 has it, with a salt of their own', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse', cheapScrypt), hashPassword('correct horse', cheapScrypt)])
    expect(one).not.toBe(two)
    const [, , parameters, salt = '', hash] = one.split('$')
    expect(parameters).toBe('ln=4,r=1,p=1')
    expect(scryptSync('correct horse', Buffer.from(salt, 'base64url'), 32, { N: 16, r: 1, p: 1 }).toString('base64url')).toBe(hash)
  })

  test('are recognised by hashes with other parameters than those of today', async () => {
    const old = await hashPassword('correct horse', { logCost: 5, blockSize: 2, parallelization: 1 })
    expect(await isPassword('correct horse', old)).toBe(true)
    expect(await isPassword('correct horsf', old)).toBe(false)
  })

  test('cost 32 MiB by default', async () => {
    const hash = await hashPassword('correct horse')
    expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
    expect(await isPassword('correct horse', hash)).toBe(true)
    expect(128 * defaultScryptParameters.blockSize * 2 ** defaultScryptParameters.logCost).toBe(32 * 1024 * 1024)
  })

  test('may have any characters, however they are composed', async () => {
    const hash = await hashPassword('pässwörd ✓', cheapScrypt)
    expect(await isPassword('pa\u0308sswo\u0308rd ✓', hash)).toBe(true)
  })

  test.each(['', 'short', 'x'.repeat(1_001)])('of a bad length are refused when they are set', async (password) => {
    await expect(hashPassword(password, cheapScrypt)).rejects.toMatchObject({ code: 'USAGE' })
  })

  test.each([
    '',
    'plain',
    '$scrypt$ln=4,r=1,p=1$$',
    '$scrypt$ln=30,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('are not compared with what is no hash of ours: %s', async (hash) => {
    await expect(isPassword('correct horse', hash)).rejects.toMatchObject({ code: 'KEY_INVALID' })
  })

  test('that are random are long and easy to read out', () => {
    const passwords = new Set(Array.from({ length: 100 }, randomPassword))
    expect(passwords.size).toBe(100)
    for (const password of passwords) expect(password).toMatch(/^([a-km-np-z2-9]{5}-){3}[a-km-np-z2-9]{5}$/)
  })

  test('that wait in too long a queue are refused instead of taking the machine', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => hashPassword('correct horse', cheapScrypt)))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject({ reason: { code: 'REQUEST_REFUSED' } })
    await expect(hashPassword('correct horse', cheapScrypt)).resolves.toContain('$scrypt$')
  })
})

describe('local users', () => {
  test('are none at first', async () => {
    expect(await (await emptyUsers()).list()).toEqual([])
  })

  test('are added, listed without their hashes, and removed', async () => {
    const ended: string[] = []
    const users = await emptyUsers(ended)
    const alice = await users.add({ email: 'Alice@example.com', password: 'correct horse', name: 'Alice' })
    await users.add({ email: 'bob@example.com', password: 'correct horse' })
    expect((await users.list()).map(({ email }) => email)).toEqual(['Alice@example.com', 'bob@example.com'])
    expect(JSON.stringify(await users.list())).not.toContain('scrypt')
    await users.remove('alice@EXAMPLE.com')
    expect((await users.list()).map(({ email }) => email)).toEqual(['bob@example.com'])
    expect(ended).toEqual([alice.subject])
  })

  test('are found in pages of any number', async () => {
    const users = await emptyUsers()
    for (let user = 0; user < 501; user++) await users.add({ email: `user${user}@example.com`, password: 'correct horse' })
    expect(await users.list()).toHaveLength(501)
  })

  test('have one address each, whatever its case, even when two are added at once', async () => {
    const users = await emptyUsers()
    const outcomes = await Promise.allSettled(
      ['a@example.com', 'A@example.com'].map((email) => users.add({ email, password: 'correct horse' })),
    )
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('that are added again after they were removed are other people', async () => {
    const users = await emptyUsers()
    const first = await users.add({ email: 'a@example.com', password: 'correct horse' })
    await users.remove('a@example.com')
    const second = await users.add({ email: 'a@example.com', password: 'correct horse' })
    expect(second.subject).not.toBe(first.subject)
    expect(await users.find(first.subject)).toBeUndefined()
  })

  test('sign in with their new password only', async () => {
    const ended: string[] = []
    const users = await emptyUsers(ended)
    const { subject } = await users.add({ email: 'a@example.com', password: 'correct horse' })
    await users.setPassword('a@example.com', 'battery staple')
    expect(await users.authenticate('a@example.com', 'correct horse')).toBeUndefined()
    expect(await users.authenticate('A@example.com', 'battery staple')).toMatchObject({ subject })
    expect(ended).toEqual([subject])
  })

  test.each([
    '',
    'alice',
    'alice@',
    '@example.com',
    'a b@example.com',
    'Alice <alice@example.com>',
    'a@example.com\n',
    'a@example.com,b@example.com',
    'ä@example.com',
    'a@exa_mple.com',
  ])('cannot have the address %j', async (email) => {
    await expect((await emptyUsers()).add({ email, password: 'correct horse' })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('that are not there are said to be missing', async () => {
    const users = await emptyUsers()
    await expect(users.remove('a@example.com')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(users.setPassword('a@example.com', 'correct horse')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('cost as much to check when they are unknown as when the password is wrong', async () => {
    const { documents } = await openStorage({ kind: 'memory' }, { clock: Date.now })
    const users = openUsers({ documents, clock: Date.now, scrypt: { logCost: 13, blockSize: 8, parallelization: 1 } })
    await users.add({ email: 'a@example.com', password: 'correct horse' })
    const checked = vi.mocked(isPassword)
    for (const email of ['a@example.com', 'nobody@example.com', 'no address at all']) {
      checked.mockClear()
      expect(await users.authenticate(email, 'wrong password')).toBeUndefined()
      expect(checked.mock.calls.map(([password, hash]) => [password, hash.slice(0, 20)])).toEqual([
        ['wrong password', '$scrypt$ln=13,r=8,p='],
      ])
    }
  })
})
