/**
 * Agreement with sigstore-go, the strictest other verifier, through its conformance client: hundreds of mutated bundles and
 * trusted roots. Every disagreement has a name and a reason here, or is a bug.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CountersignError } from '../../src/error.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import type { Json, SignedBundle, SigningOptions, TrustedRootJson } from '../support/universe/universe.ts'
import { epoch, identity, issuer, namedKey, signBlob, signStatement } from '../support/universe/universe.ts'
import { verifySigned } from '../support/universe/verification.ts'
import { findPeer } from './peers.ts'

const client = findPeer('sigstore-go-conformance', 'conformance')
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-sigstore-go-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Circumstances {
  readonly bundle?: Json
  readonly bendRoot?: (root: TrustedRootJson) => void
}

/** What sigstore-go says against a bundle; undefined when it verifies. */
function sigstoreGo(signed: SignedBundle, { bundle, bendRoot }: Circumstances = {}): string | undefined {
  const put = (name: string, contents: string | Uint8Array): string => {
    writeFileSync(path.join(folder, name), contents)
    return path.join(folder, name)
  }
  const signer =
    signed.certificate.length === 0
      ? ['--key', put('key.pub', signed.key.pem)]
      : ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  const words = ['--bundle', put('bundle.json', JSON.stringify(bundle ?? signed.bundle)), ...signer]
  const root = ['--trusted-root', put('root.json', signed.universe.trustedRoot(bendRoot))]
  const { status, stderr } = spawnSync(client ?? '', ['verify-bundle', ...words, ...root, put('artifact', signed.artifact)], {
    cwd: folder,
    env: { HOME: folder },
    encoding: 'utf8',
  })
  return status === 0 ? undefined : stderr.trim().replace(/^\S+ \S+ /, '') || `exit status ${status}`
}

interface Disagreement {
  readonly mutation: string
  readonly ours: { readonly code: string; readonly message: string } | undefined
  readonly theirs: string | undefined
}

interface Explanation {
  readonly why: string
  readonly explains: (disagreement: Disagreement) => boolean
}

const at = (pattern: RegExp, { mutation }: Disagreement): boolean => pattern.test(mutation)
const oursSays = ({ ours }: Disagreement, code: RegExp, message = /(?:)/): boolean =>
  ours !== undefined && code.test(ours.code) && message.test(ours.message)

/** Where sigstore-go accepts and we do not. */
const stricter: readonly Explanation[] = [
  { why: "a kindVersion that differs from the entry's body", explains: (found) => at(/kindVersion/, found) },
  {
    why: 'protojson takes base64 of either alphabet, with or without padding, and numbers with an exponent or a leading zero',
    explains: (found) => oursSays(found, /^BUNDLE_INVALID$/, /not standard base64|64-bit integer/),
  },
  {
    why: 'protojson takes enum names by number',
    explains: (found) => oursSays(found, /^BUNDLE_INVALID$/, /should be a string/) && at(/algorithm/, found),
  },
  {
    why: "a timestamp that does not verify is skipped where the promise gives a time; a known authority's must verify here",
    explains: (found) => at(/signedTimestamp|rfc3161/, found) && oursSays(found, /TIMESTAMP|DER_INVALID|BUNDLE_INVALID/),
  },
  {
    why: 'a Rekor v2 entry is recomputed from the bundle, and what the bundle holds as its body is not looked at; here it is the leaf',
    explains: (found) => at(/canonicalizedBody/, found),
  },
  {
    why: "a Rekor v2 entry's proof index is not compared with the entry's, of which there is only one",
    explains: (found) =>
      at(/inclusionProof\.logIndex|inclusionProof\.rootHash|inclusionProof\.treeSize/, found) &&
      oursSays(found, /LOG_ENTRY_UNVERIFIED|INCLUSION_PROOF_INVALID|BUNDLE_INVALID/),
  },
  { why: 'the log ID of a Rekor v2 entry only picks the key', explains: (found) => at(/logId/, found) && oursSays(found, /LOG_ENTRY/) },
  {
    why: 'an integrated time of a Rekor v1 entry without a promise, or a promise that is there, is used or skipped; here what is there must verify',
    explains: (found) =>
      at(/inclusionPromise|integratedTime/, found) && oursSays(found, /LOG_ENTRY_UNVERIFIED|TIME_UNVERIFIED|BUNDLE_INVALID/),
  },
  { why: 'a media type may have any number of a version behind it', explains: (found) => at(/mediaType/, found) },
  {
    why: 'the text of a checkpoint is compared line by line only as far as it is read',
    explains: (found) => at(/checkpoint\.envelope/, found) && oursSays(found, /NOTE_INVALID|CHECKPOINT_INVALID|LOG_ENTRY_UNVERIFIED/),
  },
  {
    why: "a window of a Rekor v2 log key is not checked, since the entry has no time; the timestamp's is taken here",
    explains: (found) => at(/log window, v2/, found),
  },
]

/** Where we accept and sigstore-go does not: each justified by a specification. */
const moreLenient: readonly Explanation[] = [
  {
    why: 'messageDigest is only a hint (protobuf-specs) and may be absent',
    explains: (found) => at(/^messageSignature\.messageDigest: (?:dropped|null|emptied)$/, found),
  },
  {
    why: 'its client demands a verified timestamp or promise wherever there is one; with another time it may be left out',
    explains: (found) => at(/timestampVerificationData|rfc3161Timestamps|inclusionPromise/, found) && at(/dropped|null|emptied/, found),
  },
  { why: 'the key hint says which key; the caller has said so already', explains: (found) => at(/publicKey/, found) },
  {
    why: 'the time that a Rekor v2 entry claims is ignored (Rekor v2 specification 4.2)',
    explains: (found) => at(/integratedTime/, found),
  },
]

const shapes: readonly (readonly [string, typeof signBlob, SigningOptions])[] = [
  ['a signature', signBlob, {}],
  ['a signature with a timestamp', signBlob, { timestamps: [{}] }],
  ['a signature on Rekor v2', signBlob, { log: 'v2' }],
  ['a signature of version 0.1', signBlob, { version: '0.1', oldMediaType: true }],
  ['a signature with a key', signBlob, { managed: true }],
  ['an attestation', signStatement, {}],
  ['an attestation on Rekor v2', signStatement, { log: 'v2' }],
  ['an attestation logged as intoto', signStatement, { attestationKind: 'intoto 0.0.2' }],
]

function ours(signed: SignedBundle, circumstances: Circumstances): Disagreement['ours'] {
  try {
    verifySigned(signed, circumstances)
    return undefined
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
    return { code: error.code, message: error.message }
  }
}

function unexplained(mutation: string, signed: SignedBundle, circumstances: Circumstances): Disagreement[] {
  const found: Disagreement = { mutation, ours: ours(signed, circumstances), theirs: sigstoreGo(signed, circumstances) }
  if ((found.ours === undefined) === (found.theirs === undefined)) return []
  return (found.ours === undefined ? moreLenient : stricter).some(({ explains }) => explains(found)) ? [] : [found]
}

/** Of the mutations of a shape, about this many are compared: a call takes 20 ms. */
const sampled = 60

describe.skipIf(client === undefined)('beside sigstore-go', () => {
  for (const [what, sign, options] of shapes) {
    it(`${what} verifies with both, and of its mutations every disagreement is explained`, () => {
      const signed = sign(options)
      expect(sigstoreGo(signed)).toBeUndefined()
      expect(ours(signed, {})).toBeUndefined()
      const mutations = [...mutationsOf(signed.bundle, 7, sign({ ...options, key: namedKey('another') }).bundle)]
      const step = Math.max(1, Math.floor(mutations.length / sampled))
      expect(
        mutations.filter((_, index) => index % step === 0).flatMap(({ name, bundle }) => unexplained(name, signed, { bundle })),
      ).toEqual([])
    })
  }

  const iso = (instant: number): string => new Date(instant).toISOString()
  const times = [epoch - 1000, epoch, epoch + 59_000, epoch + 60_000, epoch + 61_000, epoch + 3_600_000]
  const lists = ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'] as const
  for (const log of ['v1', 'v2'] as const) {
    it(`windows of logs and authorities are closed at both ends in both (${log})`, () => {
      const signed = signBlob({ log })
      const found = lists.flatMap((list) =>
        times.flatMap((time) =>
          [{ start: iso(time) }, { start: iso(epoch - 1e10), end: iso(time) }].flatMap((validFor) => {
            const bendRoot = (root: TrustedRootJson): void => {
              for (const instance of root[list]) {
                if ('publicKey' in instance) instance.publicKey.validFor = validFor
                else instance.validFor = validFor
              }
            }
            return unexplained(`${list === 'tlogs' ? `log window, ${log}` : list}: ${JSON.stringify(validFor)}`, signed, { bendRoot })
          }),
        ),
      )
      expect(found).toEqual([])
    })
  }

  it('a trusted root without logs is refused here, and taken there: its client then asks for no log', () => {
    const signed = signBlob({ timestamps: [{}] })
    const bendRoot = (root: TrustedRootJson): void => void (root.tlogs = [])
    expect(ours(signed, { bendRoot })?.code).toBe('LOG_ENTRY_UNVERIFIED')
    expect(sigstoreGo(signed, { bendRoot })).toBeUndefined()
  })
})
