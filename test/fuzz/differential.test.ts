/**
 * Agreement with an independent verifier: thousands of mutated bundles through ours and through sigstore-js. Every
 * disagreement has a name and a reason here, or is a bug.
 */
import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../src/bundle/bundle.ts'
import { CountersignError } from '../../src/error.ts'
import { verifyWithSigstoreJs } from '../support/sigstore-js.ts'
import { mutationsOf } from '../support/universe/mutate.ts'
import type { SigningOptions } from '../support/universe/universe.ts'
import { namedKey, signBlob, signStatement, universeOf } from '../support/universe/universe.ts'
import { verifySigned } from '../support/universe/verification.ts'

/** With P-256 authorities: sigstore-js verifies the whole chain every time. */
const cheap = universeOf({ name: 'cheap', rootKey: 'p256', issuingKey: 'p256' })

interface Disagreement {
  readonly mutation: string
  /** Our reason, or undefined where we accept. */
  readonly ours: { readonly code: string; readonly message: string } | undefined
  /** Their reason, or undefined where they accept. */
  readonly theirs: string | undefined
}

interface Explanation {
  readonly why: string
  readonly explains: (disagreement: Disagreement) => boolean
}

const at = (pattern: RegExp, { mutation }: Disagreement): boolean => pattern.test(mutation)
const oursSays = (code: string, { ours }: Disagreement, message = /(?:)/): boolean => ours?.code === code && message.test(ours.message)

/** Where sigstore-js accepts and we do not. */
const stricter: readonly Explanation[] = [
  {
    why: 'its pattern for media types is open at the end',
    explains: (found) => at(/^mediaType: a (?:character|space) added$/, found),
  },
  {
    why: 'it finds the log of a checkpoint by the key hint in the note alone; the entry must be of that log here',
    explains: (found) => at(/logId/, found) && oursSays('LOG_ENTRY_UNVERIFIED', found, /unknown log|signed entry timestamp/),
  },
  {
    why: 'protobuf JSON of sigstore-js drops fields it does not know; a bundle may not say more than is read',
    explains: (found) => oursSays('BUNDLE_INVALID', found, /has an unknown field/),
  },
  {
    why: 'its base64 decoder skips what is not base64, takes the URL alphabet and missing padding; we take one text per byte string',
    explains: (found) => oursSays('BUNDLE_INVALID', found, /not standard base64/),
  },
  {
    why: 'its int64 are whatever Number() and BigInt() take; ours are canonical decimal and within 64 bits',
    explains: (found) => oursSays('BUNDLE_INVALID', found, /should be a 64-bit integer|should not be negative/),
  },
  {
    why: 'it coerces numbers, objects and arrays to strings, and strings to objects; a value of the wrong type is refused here',
    explains: (found) => oursSays('BUNDLE_INVALID', found, /should be (?:a string|an object|an array)/),
  },
  {
    why: 'it takes an empty or absent member for its default and goes on; a member that a format requires must be there',
    explains: (found) => oursSays('BUNDLE_INVALID', found, /is missing|has no (?:content|key)/),
  },
  {
    why: 'it checks the promise or the proof of an entry, as the version has it; what is there must verify here, whichever it is',
    explains: (found) =>
      at(/inclusionProof|inclusionPromise|logIndex|integratedTime/, found) &&
      (oursSays('INCLUSION_PROOF_INVALID', found) ||
        oursSays('LOG_ENTRY_UNVERIFIED', found) ||
        oursSays('NOTE_INVALID', found) ||
        oursSays('CHECKPOINT_INVALID', found)),
  },
  {
    why: 'it does not compare the size that the checkpoint states with that of the proof, nor the text of a checkpoint beyond what it reads',
    explains: (found) => at(/checkpoint\.envelope|treeSize/, found),
  },
  {
    why: 'it does not compare the kind and version that the bundle states with those of the entry',
    explains: (found) => at(/kindVersion/, found) && (oursSays('LOG_ENTRY_MISMATCH', found) || oursSays('LOG_ENTRY_UNVERIFIED', found)),
  },
  {
    why: 'it compares the entry only as far as the kind of content needs; here the body must be about this signature and nothing else',
    explains: (found) => at(/canonicalizedBody/, found),
  },
  {
    why: 'it does not compare the digest in the bundle with the artifact; the conformance suite wants a contradiction refused',
    explains: (found) => at(/messageDigest/, found) && oursSays('ARTIFACT_MISMATCH', found),
  },
  {
    why: 'it does not look at subjects; the artifact must be one of them',
    explains: (found) => oursSays('ARTIFACT_MISMATCH', found) || oursSays('STATEMENT_INVALID', found),
  },
  {
    why: 'it leaves identity to the caller, who asked it for none here',
    explains: (found) => oursSays('IDENTITY_MISMATCH', found),
  },
  {
    why: 'it ignores the keyid; protobuf-specs says it must be the hint',
    explains: (found) => at(/keyid|hint/, found) && oursSays('BUNDLE_INVALID', found),
  },
  {
    why: 'it takes the first of several signatures or certificates; a second one would go unchecked',
    explains: (found) => oursSays('BUNDLE_INVALID', found, /exactly one was expected|more than one of/),
  },
  {
    why: 'it does not parse certificates as strictly: DER lengths, canonical booleans and integers, key usage, the extensions of Fulcio',
    explains: (found) => at(/certificate|certificates/, found) && /^(?:DER|CERTIFICATE|KEY|SCT)_/.test(found.ours?.code ?? ''),
  },
  {
    why: 'it reads less of a timestamp: status, version and attributes that it does not use, and encodings that are not DER',
    explains: (found) => at(/signedTimestamp/, found) && /^(?:DER|TIMESTAMP|ENCODING)_/.test(found.ours?.code ?? ''),
  },
  {
    why: 'it takes an empty list of timestamps or entries that is not a list',
    explains: (found) => at(/timestampVerificationData|rfc3161Timestamps|tlogEntries/, found) && found.ours?.code === 'BUNDLE_INVALID',
  },
  {
    why: 'the same timestamp or entry twice counts once there; it is refused here',
    explains: (found) => at(/repeated/, found) && /^(?:TIMESTAMP_UNVERIFIED|LOG_ENTRY_UNVERIFIED)$/.test(found.ours?.code ?? ''),
  },
]

/** Where we accept and sigstore-js does not: the dangerous side, so each is justified by a specification. */
const moreLenient: readonly Explanation[] = [
  {
    why: 'a proof of version 0.1 may come without a checkpoint (protobuf-specs); sigstore-js crashes on it',
    explains: (found) => at(/checkpoint: dropped$|checkpoint: null$/, found) && /TypeError/.test(found.theirs ?? ''),
  },
  {
    why: 'a signature with a managed key needs no time, and so no promise, where the entry has its proof; sigstore-js wants a time for any',
    explains: (found) => at(/inclusionPromise: (?:dropped|null)$/, found) && /expected 1 timestamps, got 0/.test(found.theirs ?? ''),
  },
  {
    why: 'null is an absent field in proto3 JSON; sigstore-js fails on it',
    explains: (found) => at(/: null$/, found) && found.theirs !== undefined && verifiesWithout(found),
  },
  {
    why: 'messageDigest is only a hint (protobuf-specs) and may be absent; sigstore-js reads it',
    explains: (found) => at(/^messageSignature\.messageDigest: (?:dropped|null|emptied)$/, found),
  },
  {
    why: 'an int64 may be a JSON number in proto3 JSON; the mutation writes the value that was there',
    explains: (found) => at(/: a number$/, found),
  },
  {
    why: 'the signature line of the log may stand in a checkpoint twice: lines of other signers may too, and any line of the log will do',
    explains: (found) => at(/checkpoint\.envelope: .*(?:repeated|reversed)/, found),
  },
]

/** A member that is null is as good as one that is dropped, and that must then be accepted by ours as well. */
function verifiesWithout({ ours }: Disagreement): boolean {
  return ours === undefined
}

const shapes: readonly (readonly [string, typeof signBlob, SigningOptions])[] = [
  ['a signature', signBlob, {}],
  ['a signature with a timestamp', signBlob, { timestamps: [{}] }],
  ['a signature on Rekor v2', signBlob, { log: 'v2' }],
  ['a signature of version 0.2', signBlob, { version: '0.2', oldMediaType: true }],
  ['a signature of version 0.1', signBlob, { version: '0.1', oldMediaType: true }],
  ['a signature with a key', signBlob, { managed: true }],
  ['a signature with an RSA key', signBlob, { key: namedKey('signer', 'rsa'), managed: true }],
  ['an attestation', signStatement, {}],
  ['an attestation of version 0.2', signStatement, { version: '0.2', oldMediaType: true }],
  ['an attestation logged as intoto', signStatement, { attestationKind: 'intoto 0.0.2' }],
  ['an attestation with a key', signStatement, { managed: true }],
]

function reasonOf(call: () => unknown): { readonly code: string; readonly message: string } | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (error instanceof CountersignError) return error
    throw error
  }
}

function messageOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return String(error)
  }
}

/** Picks the bits that are flipped. Another seed finds other bits, in the same places. */
const seed = 1
let compared = 0

describe('mutated bundles, ours beside sigstore-js', () => {
  for (const [what, sign, options] of shapes) {
    it(`${what}: every disagreement is explained`, () => {
      const signed = sign({ universe: cheap, ...options })
      const other = sign({ universe: cheap, ...options, key: namedKey('another', options.key?.kind ?? 'p256') })
      const unexplained: Disagreement[] = []
      for (const { name, bundle } of mutationsOf(signed.bundle, seed, other.bundle)) {
        compared++
        const ours = reasonOf(() => verifySigned(signed, { bundle }))
        const theirs = messageOf(() => verifyWithSigstoreJs(signed, { bundle }))
        if ((ours === undefined) === (theirs === undefined)) continue
        const found: Disagreement = {
          mutation: name,
          ours: ours === undefined ? undefined : { code: ours.code, message: ours.message },
          theirs,
        }
        const explanations = ours === undefined ? moreLenient : stricter
        if (!explanations.some(({ explains }) => explains(found))) unexplained.push(found)
      }
      expect(unexplained).toEqual([])
    })
  }

  it('were thousands', () => expect(compared).toBeGreaterThan(3000))

  it('a bundle of another universe is refused by both', () => {
    const foreign = { ...signBlob({ universe: universeOf({ name: 'foreign' }) }), universe: universeOf() }
    expect(reasonOf(() => verifySigned(foreign))).toBeDefined()
    expect(messageOf(() => verifyWithSigstoreJs(foreign))).toBeDefined()
  })

  it('the comparison sees what it should: both accept what was signed', () => {
    for (const [, sign, options] of shapes) {
      const signed = sign(options)
      expect(reasonOf(() => verifySigned(signed))).toBeUndefined()
      expect(messageOf(() => verifyWithSigstoreJs(signed))).toBeUndefined()
      expect(() => parseBundle(signed.json)).not.toThrow()
    }
  })
})
