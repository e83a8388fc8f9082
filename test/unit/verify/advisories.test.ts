/** Known attacks on other implementations, and the traps of cosign's behaviour, kept as tests. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bent } from '../../support/universe/bent.ts'
import type { EntryParts, Json } from '../../support/universe/universe.ts'
import {
  identity,
  issueLeaf,
  issuer,
  legacyBundle,
  namedKey,
  signBlob,
  signStatement,
  statementAbout,
  universeOf,
} from '../../support/universe/universe.ts'
import { refusalOf, verifySigned } from '../../support/universe/verification.ts'
import type { Outcome } from '../cli/captured-context.ts'
import { runCaptured } from '../cli/captured-context.ts'

let folder = ''
const put = (name: string, contents: string | Uint8Array): void => writeFileSync(path.join(folder, name), contents)
const run = (...words: readonly string[]): Promise<Outcome> => runCaptured(words, { cwd: folder })
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-advisories-'))
  put('artifact', signBlob().artifact)
  put('root.json', universeOf().trustedRoot())
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('GHSA-whqx-f9j3-ch6m: a log entry that does not speak of this artifact, signature and key', () => {
  // The attacker has a genuine entry of the log for something else, and a bundle that verifies but for that.
  const others: readonly (readonly [string, (parts: EntryParts) => EntryParts])[] = [
    ['artifact', (parts) => ({ ...parts, digest: new Uint8Array(32) })],
    ['signature', (parts) => ({ ...parts, signature: new Uint8Array(70) })],
    ['certificate', (parts) => ({ ...parts, verifier: issueLeaf({ key: namedKey('other') }).der })],
  ]
  for (const [what, bendBody] of others) {
    for (const log of ['v1', 'v2'] as const) {
      it(`another ${what} is refused (${log})`, () => {
        expect(refusalOf(() => verifySigned(signBlob({ log, bendBody })))?.code).toBe('LOG_ENTRY_MISMATCH')
        expect(refusalOf(() => verifySigned(signStatement({ log, bendBody })))?.code).toBe('LOG_ENTRY_MISMATCH')
      })
    }
  }
  it('nor does an entry of another bundle by the same signer count', () => {
    const mine = signBlob()
    const other = signBlob({}, new TextEncoder().encode('other'))
    const bundle = bent(mine.bundle, (_, { material }) => {
      material['tlogEntries'] = (other.bundle['verificationMaterial'] as Json)['tlogEntries']
    })
    expect(refusalOf(() => verifySigned(mine, { bundle }))?.code).toBe('LOG_ENTRY_MISMATCH')
  })
})

describe('GHSA-w6c6-c85g-mmv6: the predicate type is demanded in every format', () => {
  it('of a bundle and of a bare envelope', async () => {
    const signed = signStatement({
      managed: true,
      log: 'none',
      statement: statementAbout(undefined, { predicateType: 'https://example.test/harmless' }),
    })
    put('attestation.json', signed.json)
    put('envelope.json', JSON.stringify(signed.bundle['dsseEnvelope']))
    put('key.pub', signed.key.pem)
    for (const source of [
      ['--bundle', 'attestation.json'],
      ['--signature', 'envelope.json'],
    ]) {
      const words = ['verify-blob-attestation', 'artifact', ...source, '--key', 'key.pub', '--insecure-ignore-tlog']
      expect((await run(...words, '--type', 'https://example.test/harmless')).exitCode).toBe(0)
      for (const type of [['--type', 'slsaprovenance'], ['--type', 'https://example.test/harmles'], []]) {
        const { exitCode, stderr } = await run(...words, ...type)
        expect(stderr).toMatch(/invalid predicate type, expected \S+ got https:\/\/example\.test\/harmless/)
        expect(exitCode).toBe(1)
      }
    }
  })
})

describe('GHSA-fx35-mq7g-6g98: a key that came with the signature', () => {
  const attacker = signBlob({ managed: true, key: namedKey('attacker') })
  const poisoned = (cert: string): string => JSON.stringify(legacyBundle(attacker, cert))

  it('never overrides --key', async () => {
    put('trusted.pub', namedKey('trusted').pem)
    for (const cert of [attacker.key.pem, base64(attacker.key.pem)]) {
      put('poisoned.json', poisoned(cert))
      for (const more of [['--trusted-root', 'root.json'], ['--insecure-ignore-tlog']]) {
        expect((await run('verify-blob', 'artifact', '--bundle', 'poisoned.json', '--key', 'trusted.pub', ...more)).exitCode).toBe(1)
      }
    }
  })
  it('never stands in for an identity', async () => {
    put('poisoned.json', poisoned(base64(attacker.key.pem)))
    for (const more of [[], ['--insecure-ignore-tlog'], ['--insecure-ignore-sct', '--insecure-ignore-tlog']]) {
      const { exitCode, stderr } = await run(
        'verify-blob',
        'artifact',
        '--bundle',
        'poisoned.json',
        '--trusted-root',
        'root.json',
        ...who,
        ...more,
      )
      expect(exitCode).toBe(1)
      expect(stderr).toContain('not to be trusted because it came with the signature')
    }
  })
})

describe('GHSA-88jx-383q-w4qc, GHSA-95pr-fxf5-86gv: unbounded input', () => {
  it('a bundle over the limit is refused by its size, before it is read', async () => {
    put('huge.json', '')
    truncateSync(path.join(folder, 'huge.json'), 8 * 1024 ** 3)
    const { exitCode, stderr } = await run('verify-blob', 'artifact', '--bundle', 'huge.json', ...who)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('more than the limit of 134217728')
  })
  it('more entries, timestamps, hashes or certificates than make sense are refused', () => {
    const signed = signBlob({ version: '0.2' })
    const many = (name: string, length: number, element: unknown): Json =>
      bent(signed.bundle, (_, { material, entry }) => {
        if (name === 'hashes') (entry['inclusionProof'] as Json)['hashes'] = Array.from({ length }, () => element)
        else if (name === 'certificates') (material['x509CertificateChain'] as Json)['certificates'] = Array.from({ length }, () => element)
        else
          material[name] =
            name === 'tlogEntries' ? Array.from({ length }, () => entry) : { rfc3161Timestamps: Array.from({ length }, () => element) }
      })
    for (const [name, element] of [
      ['tlogEntries', {}],
      ['timestampVerificationData', { signedTimestamp: 'AA==' }],
      ['hashes', 'AA=='],
      ['certificates', { rawBytes: 'AA==' }],
    ] as const) {
      expect(refusalOf(() => verifySigned(signed, { bundle: many(name, 1000, element) }))).toMatchObject({
        code: 'BUNDLE_INVALID',
        message: expect.stringContaining('more than the limit'),
      })
    }
  })
})

describe('traps', () => {
  it('an attestation does not pass for a signature of the artifact by a bare key check, nor the reverse', async () => {
    put('blob.json', signBlob().json)
    put('attestation.json', signStatement().json)
    const root = ['--trusted-root', 'root.json', ...who]
    expect((await run('verify-blob-attestation', 'artifact', '--bundle', 'blob.json', ...root, '--type', 'slsaprovenance1')).exitCode).toBe(
      1,
    )
    // cosign verifies an attestation about the file with verify-blob, too: its subject is the artifact.
    expect((await run('verify-blob', 'artifact', '--bundle', 'attestation.json', ...root)).exitCode).toBe(0)
    put('other', 'other')
    expect((await run('verify-blob', 'other', '--bundle', 'attestation.json', ...root)).exitCode).toBe(1)
  })
  it("the promise is over the global index, the proof over the shard's: each is taken for its own", () => {
    const signed = signBlob({ entry: { logIndex: 77, leafIndex: 3 } })
    expect(verifySigned(signed).logEntries[0]?.logIndex).toBe(77n)
    const swapped = bent(signed.bundle, (_, { entry }) => void (entry['logIndex'] = '3'))
    expect(refusalOf(() => verifySigned(signed, { bundle: swapped }))?.code).toBe('LOG_ENTRY_UNVERIFIED')
  })
  it('a slightly malformed bundle is an error, not an old format', async () => {
    put('malformed.json', signBlob().json.replace('"tlogEntries"', '"tlogEntriez"'))
    const { stderr } = await run('verify-blob', 'artifact', '--bundle', 'malformed.json', '--trusted-root', 'root.json', ...who)
    expect(stderr).toContain('unknown field "tlogEntriez"')
  })
  it('an inclusion proof is verified even where a promise is there', () => {
    const signed = signBlob()
    const bundle = bent(
      signed.bundle,
      (_, { entry }) => void ((entry['inclusionProof'] as { hashes: string[] }).hashes[0] = base64(new Uint8Array(32))),
    )
    expect(refusalOf(() => verifySigned(signed, { bundle }))?.code).toBe('INCLUSION_PROOF_INVALID')
  })
  it('names of object members are no magic', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(refusalOf(() => verifySigned(signBlob(), { bundle: signBlob().json.replace('{', `{"${name}":{},`) }))).toMatchObject({
        code: 'BUNDLE_INVALID',
        message: `bundle has an unknown field "${name}"`,
      })
    }
  })
})
