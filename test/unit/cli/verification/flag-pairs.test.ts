/** Whatever two flags are put beside a verification that must fail, it fails: none of them takes a check away that it is not about. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pemOf } from '../../../support/universe/certificates.ts'
import {
  artifactBytes,
  epoch,
  identity,
  issuer,
  legacyBundle,
  namedKey,
  signBlob,
  signStatement,
  universeOf,
} from '../../../support/universe/universe.ts'
import { runCaptured } from '../captured-context.ts'

const universe = universeOf()
const stranger = universeOf({ name: 'stranger' })
const keyless = signBlob({ timestamps: [{}] })
const attestation = signStatement({ timestamps: [{}] })
const managed = signBlob({ managed: true, timestamps: [{}] })
const forged = namedKey('forger')

const files: Readonly<Record<string, string | Uint8Array>> = {
  artifact: artifactBytes,
  other: 'another artifact\n',
  'root.json': universe.trustedRoot(),
  'roots.jsonl': `${stranger.trustedRoot()}\n${universe.trustedRoot()}\n`,
  'keyless.json': keyless.json,
  'managed.json': managed.json,
  'attestation.json': attestation.json,
  'forged.json': signBlob({ signer: forged, timestamps: [{}] }).json,
  'forged-managed.json': signBlob({ managed: true, signer: forged, timestamps: [{}] }).json,
  'forged-attestation.json': signStatement({ signer: forged, timestamps: [{}] }).json,
  'legacy.json': JSON.stringify(legacyBundle(keyless)),
  'forged-legacy.json': JSON.stringify(legacyBundle(signBlob({ signer: forged }))),
  'key.pub': managed.key.pem,
  'stranger.pub': namedKey('stranger').pem,
  'chain.pem': pemOf(universe.intermediate.der) + pemOf(universe.root.der),
  'foreign-chain.pem': pemOf(stranger.intermediate.der) + pemOf(stranger.root.der),
  'tsa.pem': pemOf(universe.timestampLeaf.der) + pemOf(universe.timestampRoot.der),
  'token.tsr': keyless.tokens[0] ?? '',
  'cert.pem': pemOf(keyless.certificate),
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-pairs-'))
  for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(folder, name), contents)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Flags that say more, or take something away, and none that says again what the case is about. */
const flags: readonly (readonly string[])[] = [
  ['--insecure-ignore-tlog'],
  ['--insecure-ignore-sct'],
  ['--private-infrastructure'],
  ['--offline'],
  ['--use-signed-timestamps'],
  ['--allow-certificate-chain'],
  ['--new-bundle-format'],
  ['--new-bundle-format=false'],
  ['--certificate-identity-regexp', '.*'],
  ['--certificate-oidc-issuer-regexp', '.*'],
  ['--certificate-chain', 'chain.pem'],
  ['--certificate-chain', 'foreign-chain.pem'],
  ['--ca-roots', 'chain.pem'],
  ['--ca-intermediates', 'chain.pem'],
  ['--timestamp-certificate-chain', 'tsa.pem'],
  ['--rfc3161-timestamp', 'token.tsr'],
  ['--signature-digest-algorithm', 'sha512'],
  ['--trusted-root', 'roots.jsonl'],
  ['-o', 'json'],
  ['--rekor-url', 'http://127.0.0.1:1'],
  ['--certificate', 'cert.pem'],
  ['--type', 'slsaprovenance1'],
  ['--check-claims'],
  ['--digest', Buffer.alloc(32).toString('hex')],
]

const root = ['--trusted-root', 'root.json']
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const somebodyElse = ['--certificate-identity', 'somebody@else.example', '--certificate-oidc-issuer', issuer]
const elsewhere = ['--certificate-identity', identity, '--certificate-oidc-issuer', 'https://elsewhere.example']
const key = ['--key', 'key.pub']
const type = ['--type', 'slsaprovenance1']

const wrong: Readonly<Record<string, readonly string[]>> = {
  'another artifact': ['verify-blob', 'other', '--bundle', 'keyless.json', ...root, ...who],
  'another artifact, by its digest': ['verify-blob', `sha256:${'ab'.repeat(32)}`, '--bundle', 'managed.json', ...root, ...key],
  'another artifact, in a local bundle': ['verify-blob', 'other', '--bundle', 'legacy.json', ...root, ...who],
  'another subject': ['verify-blob-attestation', 'other', '--bundle', 'attestation.json', ...root, ...who, ...type],
  'somebody else': ['verify-blob', 'artifact', '--bundle', 'keyless.json', ...root, ...somebodyElse],
  'somebody else, in an attestation': [
    'verify-blob-attestation',
    'artifact',
    '--bundle',
    'attestation.json',
    ...root,
    ...somebodyElse,
    ...type,
  ],
  'another issuer': ['verify-blob', 'artifact', '--bundle', 'keyless.json', ...root, ...elsewhere],
  'another key': ['verify-blob', 'artifact', '--bundle', 'managed.json', ...root, '--key', 'stranger.pub'],
  'a forged signature': ['verify-blob', 'artifact', '--bundle', 'forged.json', ...root, ...who],
  'a forged signature, with a key': ['verify-blob', 'artifact', '--bundle', 'forged-managed.json', ...root, ...key],
  'a forged attestation': ['verify-blob-attestation', 'artifact', '--bundle', 'forged-attestation.json', ...root, ...who, ...type],
  'a forged signature in a local bundle': ['verify-blob', 'artifact', '--bundle', 'forged-legacy.json', ...root, ...who],
  'an identity where there is a key': ['verify-blob', 'artifact', '--bundle', 'managed.json', ...root, ...who],
  'a plain signature as an attestation': ['verify-blob-attestation', 'artifact', '--bundle', 'keyless.json', ...root, ...who, ...type],
}

describe('a verification that must fail', () => {
  for (const [what, words] of Object.entries(wrong)) {
    it(`of ${what} fails, whichever two flags are added`, async () => {
      const passed: string[] = []
      for (const [index, one] of flags.entries()) {
        for (const two of flags.slice(index)) {
          const line = [...words, ...one, ...(one === two ? [] : two)]
          const { exitCode, stdout, stderr } = await runCaptured(line, { cwd: folder, now: epoch })
          if (exitCode === 0 || stderr.includes('Verified OK') || stdout !== '') passed.push(line.join(' '))
        }
      }
      expect(passed).toEqual([])
    })
  }
})
