/**
 * Both directions with the real cosign 3.1.3, offline: what it signs is verified by our built program, what the test
 * universe signs is verified by it, and what one refuses the other refuses too. The words of a command are the same for both.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bent } from '../support/universe/bent.ts'
import { pemOf } from '../support/universe/certificates.ts'
import type { KeyKind } from '../support/universe/keys.ts'
import type { Json, SignedBundle, SigningOptions, StatementOptions } from '../support/universe/universe.ts'
import {
  artifactBytes,
  identity,
  issuer,
  legacyBundle,
  namedKey,
  signBlob,
  signStatement,
  universeOf,
} from '../support/universe/universe.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeer } from './peer.ts'

const cosign = findPeer('cosign') ?? ''
const countersign = path.resolve(import.meta.dirname, '../../dist/cli/main.cjs')

let folder = ''

beforeAll(() => {
  if (!existsSync(countersign)) throw new Error(`the built program is not at ${countersign}: build it with npm run build`)
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-cosign-'))
  write('artifact', artifactBytes)
  write('other', 'another artifact\n')
  write('predicate', '{"buildDefinition":{}}')
  write('root.json', universeOf().trustedRoot())
  write('stranger.pub', namedKey('stranger').pem)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, contents: string | Uint8Array | Json): string {
  writeFileSync(
    path.join(folder, name),
    typeof contents === 'string' || contents instanceof Uint8Array ? contents : JSON.stringify(contents),
  )
  return name
}

const read = (name: string): Json => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Json

/** Runs cosign where it must succeed. */
function prepare(...words: readonly string[]): void {
  const { exitCode, stderr } = runPeer(cosign, words, folder, { COSIGN_PASSWORD: 'a password' })
  expect(exitCode, `cosign ${words.join(' ')}: ${stderr}`).toBe(0)
}

type Environment = Readonly<Record<string, string>>

/** How cosign and our program end with the same words. */
function both(words: readonly string[], env: Environment = {}): { readonly theirs: Ending; readonly ours: Ending } {
  return { theirs: runPeer(cosign, words, folder, env), ours: runPeer(process.execPath, [countersign, ...words], folder, env) }
}

function expectVerified(words: readonly string[], env?: Environment): void {
  const { theirs, ours } = both(words, env)
  expect(theirs.stderr, `cosign ${words.join(' ')}`).toContain('Verified OK\n')
  expect(ours.stderr, `countersign ${words.join(' ')}`).toContain('Verified OK\n')
  expect([theirs.exitCode, ours.exitCode]).toEqual([0, 0])
  expect(ours.stdout).toBe(theirs.stdout)
}

/** Ours verifies what cosign refuses: a fault of cosign 3.1.3. Where cosign has mended it, the test says so by failing. */
function expectVerifiedByOursAlone(words: readonly string[], fault: RegExp): void {
  const { theirs, ours } = both(words)
  expect(errorOf(theirs), `cosign ${words.join(' ')}`).toMatch(fault)
  expect(ours.stderr, `countersign ${words.join(' ')}`).toContain('Verified OK\n')
  expect([theirs.exitCode, ours.exitCode]).toEqual([1, 0])
}

/** Both refuse, with the same exit code; with the same error, where one is expected of both. */
function expectRefused(words: readonly string[], message?: RegExp, env?: Environment): void {
  const { theirs, ours } = both(words, env)
  expect(ours.stderr, `countersign ${words.join(' ')}`).toMatch(/^Error: /m)
  expect(ours.stderr + theirs.stderr).not.toContain('Verified OK')
  expect([theirs.exitCode, ours.exitCode]).toEqual([1, 1])
  if (message === undefined) return
  expect(errorOf(theirs), 'cosign').toMatch(message)
  expect(errorOf(ours), 'countersign').toMatch(message)
}

const errorOf = ({ stderr }: Ending): string => /^Error: .*$/m.exec(stderr)?.[0] ?? ''

/** For bundles, cosign prints the type as it was given, ours as what it stands for. */
const wrongType =
  /^Error: invalid predicate type, expected (?:spdxjson|https:\/\/spdx\.dev\/Document) got https:\/\/slsa\.dev\/provenance\/v1$/

/** What cosign 3.1.3 signs and then refuses itself, by format and key, with what it says. */
const cosignFaults: Readonly<Record<'bundle' | 'local' | 'attestation', Readonly<Record<string, RegExp>>>> = {
  bundle: { p384: /invalid signature when validating ASN\.1 encoded signature/, ed25519: /message is missing artifact digest/ },
  local: { p384: /invalid signature when validating ASN\.1 encoded signature/ },
  attestation: { p384: /accepted signatures do not match threshold/, ed25519: /accepted signatures do not match threshold/ },
}

function expectVerifiedBut(fault: RegExp | undefined, words: readonly string[]): void {
  if (fault === undefined) expectVerified(words)
  else expectVerifiedByOursAlone(words, fault)
}

const kinds: readonly KeyKind[] = ['p256', 'p384', 'rsa', 'ed25519']
const unlogged = ['--tlog-upload=false', '--use-signing-config=false', '--yes'] as const
const ignoreLog = '--insecure-ignore-tlog'

describe.skipIf(cosign === '')('what cosign signs with a key', () => {
  beforeAll(() => {
    for (const kind of kinds) {
      write(`${kind}.pem`, namedKey('imported', kind).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
      prepare('import-key-pair', '--key', `${kind}.pem`, '--output-key-prefix', kind)
    }
    prepare('generate-key-pair', '--output-key-prefix', 'own')
  })

  for (const key of ['own', ...kinds]) {
    it(`a bundle by a key (${key}) is verified by both, and refused by both for another artifact or key`, () => {
      prepare('sign-blob', '--key', `${key}.key`, ...unlogged, '--bundle', `${key}.json`, 'artifact')
      const words = ['--bundle', `${key}.json`, ignoreLog]
      expectVerifiedBut(cosignFaults.bundle[key], ['verify-blob', 'artifact', '--key', `${key}.pub`, ...words])
      expectRefused(['verify-blob', 'other', '--key', `${key}.pub`, ...words])
      expectRefused(['verify-blob', 'artifact', '--key', 'stranger.pub', ...words])
      expectRefused(['verify-blob', 'artifact', '--key', `${key}.pub`, '--bundle', `${key}.json`, '--trusted-root', 'root.json'])
    })

    it(`a local bundle and a bare signature by a key (${key}) are verified by both, and refused by both for another artifact or key`, () => {
      const outputs = ['--bundle', `${key}.old.json`, '--output-signature', `${key}.sig`]
      prepare('sign-blob', '--key', `${key}.key`, ...unlogged, '--new-bundle-format=false', ...outputs, 'artifact')
      for (const given of [
        ['--bundle', `${key}.old.json`],
        ['--signature', `${key}.sig`],
      ]) {
        const words = [...given, ignoreLog, '--new-bundle-format=false']
        expectVerifiedBut(cosignFaults.local[key], ['verify-blob', 'artifact', '--key', `${key}.pub`, ...words])
        expectRefused(['verify-blob', 'other', '--key', `${key}.pub`, ...words])
        expectRefused(['verify-blob', 'artifact', '--key', 'stranger.pub', ...words])
      }
    })

    it(`an attestation by a key (${key}) is verified by both, and refused by both for another artifact, key or type`, () => {
      const about = ['--predicate', 'predicate', '--type', 'slsaprovenance1']
      prepare('attest-blob', '--key', `${key}.key`, ...unlogged, ...about, '--bundle', `${key}.att.json`, 'artifact')
      const words = ['--bundle', `${key}.att.json`, ignoreLog]
      const type = ['--type', 'slsaprovenance1']
      const fault = cosignFaults.attestation[key]
      expectVerifiedBut(fault, ['verify-blob-attestation', 'artifact', '--key', `${key}.pub`, ...words, ...type])
      expectRefused(['verify-blob-attestation', 'other', '--key', `${key}.pub`, ...words, ...type])
      expectRefused(['verify-blob-attestation', 'artifact', '--key', 'stranger.pub', ...words, ...type])
      expectRefused(
        ['verify-blob-attestation', 'artifact', '--key', `${key}.pub`, ...words, '--type', 'spdxjson'],
        fault === undefined ? wrongType : undefined,
      )
    })
  }

  it('an attestation in the old format is verified by both, and refused by both for another artifact or type', () => {
    const about = ['--predicate', 'predicate', '--type', 'slsaprovenance1']
    const outputs = ['--bundle', 'old.att.json', '--output-signature', 'old.dsse']
    prepare('attest-blob', '--key', 'own.key', ...unlogged, ...about, '--new-bundle-format=false', ...outputs, 'artifact')
    for (const given of [
      ['--bundle', 'old.att.json'],
      ['--signature', 'old.dsse'],
    ]) {
      const words = [...given, '--key', 'own.pub', ignoreLog, '--new-bundle-format=false']
      expectVerified(['verify-blob-attestation', 'artifact', ...words, '--type', 'slsaprovenance1'])
      expectRefused(['verify-blob-attestation', 'other', ...words, '--type', 'slsaprovenance1'])
      expectRefused(['verify-blob-attestation', 'artifact', ...words, '--type', 'spdxjson'], wrongType)
    }
  })

  it('a key put into a local bundle does not stand in for the one that is asked for', () => {
    const outputs = ['--bundle', 'forged.json']
    prepare('sign-blob', '--key', 'own.key', ...unlogged, '--new-bundle-format=false', ...outputs, 'artifact')
    const cert = readFileSync(path.join(folder, 'own.pub')).toString('base64')
    write('forged.json', { ...read('forged.json'), cert })
    const words = ['verify-blob', 'artifact', '--bundle', 'forged.json', ignoreLog, '--new-bundle-format=false']
    expectRefused([...words, '--key', 'stranger.pub'])
    expectRefused([...words, '--certificate-identity', identity, '--certificate-oidc-issuer', issuer, '--trusted-root', 'root.json'])
  })
})

describe.skipIf(cosign === '')('what the test universe signs', () => {
  const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  const offline = ['--trusted-root', 'root.json']

  const blobs: readonly (readonly [string, SigningOptions])[] = [
    ['on Rekor v1', {}],
    ['on Rekor v1 with a timestamp', { timestamps: [{}] }],
    ['on Rekor v2', { log: 'v2' }],
    ['of version 0.1', { version: '0.1', oldMediaType: true }],
    ['of version 0.2', { version: '0.2', oldMediaType: true }],
    ['with a P-384 key', { key: namedKey('signer', 'p384') }],
    ['with an RSA key', { key: namedKey('signer', 'rsa') }],
  ]
  for (const [what, options] of blobs) {
    it(`a signature ${what} is verified by both, and refused by both when it is tampered with`, () => {
      const signed = signBlob(options)
      const words = ['--bundle', write('bundle.json', signed.bundle), ...offline]
      expectVerified(['verify-blob', 'artifact', ...words, ...who])
      expectRefused(['verify-blob', 'other', ...words, ...who])
      expectRefused(
        ['verify-blob', 'artifact', ...words, '--certificate-identity', 'dev@example.test', '--certificate-oidc-issuer', issuer],
        /^Error: failed to verify certificate identity: .*no matching CertificateIdentity found, last error: expected SAN value "dev@example\.test", got "https:/,
      )
      expectRefused([
        'verify-blob',
        'artifact',
        ...words,
        '--certificate-identity',
        identity,
        '--certificate-oidc-issuer',
        'https://example.test',
      ])
      for (const tampered of tamperedOf(signed)) {
        expectRefused(['verify-blob', 'artifact', '--bundle', write('tampered.json', tampered), ...offline, ...who])
      }
    })
  }

  it('patterns match anywhere for both', () => {
    const words = ['verify-blob', 'artifact', '--bundle', write('bundle.json', signBlob().bundle), ...offline]
    expectVerified([...words, '--certificate-identity-regexp', 'universe/app', '--certificate-oidc-issuer-regexp', '(?i)TOKEN'])
    expectRefused([...words, '--certificate-identity-regexp', '^universe', '--certificate-oidc-issuer-regexp', 'token'])
    expectRefused([...words, '--certificate-identity-regexp', '(?=a)', '--certificate-oidc-issuer-regexp', 'token'])
    expectRefused(words)
  })

  const managedFaults: Readonly<Record<string, RegExp>> = {
    p384: /invalid signature when validating ASN\.1 encoded signature/,
    ed25519: /could not verify message: failed to verify signature/,
  }
  for (const kind of kinds) {
    it(`a logged signature with a managed key (${kind}) is verified by both`, () => {
      const signed = signBlob({ managed: true, key: namedKey('managed', kind), ...(kind === 'ed25519' ? { prehashed: true } : {}) })
      const words = ['artifact', '--bundle', write('bundle.json', signed.bundle), ...offline]
      expectVerifiedBut(managedFaults[kind], ['verify-blob', ...words, '--key', write('managed.pub', signed.key.pem)])
      expectRefused(['verify-blob', ...words, '--key', 'stranger.pub'])
      expectRefused(['verify-blob', ...words, ...who])
    })
  }

  const statements: readonly (readonly [string, StatementOptions])[] = [
    ['on Rekor v1', {}],
    ['on Rekor v1 as intoto', { attestationKind: 'intoto 0.0.2' }],
    ['on Rekor v2', { log: 'v2' }],
  ]
  for (const [what, options] of statements) {
    it(`an attestation ${what} is verified by both, and refused by both when it is tampered with`, () => {
      const signed = signStatement(options)
      const words = ['--bundle', write('bundle.json', signed.bundle), ...offline, ...who]
      const type = ['--type', 'slsaprovenance1']
      expectVerified(['verify-blob-attestation', 'artifact', ...words, ...type])
      expectRefused(['verify-blob-attestation', 'other', ...words, ...type])
      expectRefused(['verify-blob-attestation', 'artifact', ...words, '--type', 'spdxjson'], wrongType)
      for (const tampered of tamperedOf(signed)) {
        expectRefused(['verify-blob-attestation', 'artifact', '--bundle', write('tampered.json', tampered), ...offline, ...who, ...type])
      }
    })
  }

  it("cosign's local bundle is verified by both, and refused by both when it is tampered with", () => {
    const { rekor, ctLog, intermediate, root } = universeOf()
    // cosign takes no trusted root for the old format: everything is given one by one.
    const trust = {
      SIGSTORE_REKOR_PUBLIC_KEY: write('rekor.pub', rekor.key.pem),
      SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: write('ct.pub', ctLog.pem),
      SIGSTORE_ROOT_FILE: write('chain.pem', pemOf(intermediate.der) + pemOf(root.der)),
    }
    const legacy = legacyBundle(signBlob())
    const words = ['verify-blob', 'artifact', ...who, '--new-bundle-format=false']
    expectVerified([...words, '--bundle', write('legacy.json', legacy)], trust)
    const other = legacyBundle(signBlob({ key: namedKey('another') }))
    for (const part of ['base64Signature', 'cert', 'rekorBundle'] as const) {
      expectRefused([...words, '--bundle', write('legacy.json', { ...legacy, [part]: other[part] })], undefined, trust)
    }
  })
})

/** The bundle with one part of another bundle by another signer, each in turn, or with a part of its own changed. */
function tamperedOf(signed: SignedBundle): readonly Json[] {
  const isMessage = 'messageSignature' in signed.bundle
  const isV2 = signed.entries[0]?.inclusionPromise === undefined
  const options: SigningOptions = { key: namedKey('tamperer'), log: isV2 ? 'v2' : 'v1' }
  const other = (isMessage ? signBlob(options) : signStatement(options)).bundle
  const otherMaterial = other['verificationMaterial'] as Json
  const flip = (text: string): string => {
    const bytes = Buffer.from(text, 'base64')
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    return bytes.toString('base64')
  }
  const content = isMessage ? 'messageSignature' : 'dsseEnvelope'
  return [
    { ...signed.bundle, [content]: other[content] },
    bent(signed.bundle, (_, { material }) => (material['tlogEntries'] = otherMaterial['tlogEntries'])),
    // sigstore-go rebuilds the body of a Rekor v2 entry and does not look at the one that is there.
    ...(isV2 ? [] : [bent(signed.bundle, (_, { entry }) => (entry['canonicalizedBody'] = bodyOf(otherMaterial)))]),
    bent(signed.bundle, (_, { material }) => delete material['tlogEntries']),
    bent(signed.bundle, (bundle) => {
      const envelope = bundle[content] as Json & { signatures?: Json[] }
      const holder = isMessage ? envelope : (envelope.signatures?.[0] ?? {})
      const field = isMessage ? 'signature' : 'sig'
      holder[field] = flip(String(holder[field]))
    }),
  ]
}

function bodyOf(material: Json): unknown {
  return (material['tlogEntries'] as readonly Json[])[0]?.['canonicalizedBody']
}
