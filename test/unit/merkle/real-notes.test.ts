import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { defaultSignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { decodeBase64 } from '../../../src/encoding/base64.ts'
import { encodeHex } from '../../../src/encoding/hex.ts'
import { CountersignError } from '../../../src/error.ts'
import { parseCheckpoint } from '../../../src/merkle/checkpoint.ts'
import { leafHash } from '../../../src/merkle/hash.ts'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.ts'
import type { NoteVerifier } from '../../../src/merkle/signed-note.ts'
import { noteKeyHash, parseSignedNote, verifyNote } from '../../../src/merkle/signed-note.ts'
import { sha256 } from './reference-tree.ts'

const data = '../shared/data'
const cases = `${data}/conformance/bundle-verify`
const isThere = existsSync(cases)
const described = isThere ? 'checkpoints of real logs' : `checkpoints of real logs (skipped: ${cases} is not there)`

interface RealLog {
  readonly baseUrl?: string
  readonly publicKey: { readonly rawBytes: string; readonly keyDetails: string }
  readonly logId: { readonly keyId: string }
}

interface RealEntry {
  readonly logId: { readonly keyId: string }
  readonly kindVersion: { readonly version: string }
  readonly canonicalizedBody: string
  readonly inclusionProof?: {
    readonly logIndex?: string
    readonly rootHash: string
    readonly treeSize: string
    readonly hashes?: readonly string[]
    readonly checkpoint?: { readonly envelope: string }
  }
}

interface RealBundle {
  readonly verificationMaterial?: { readonly tlogEntries?: readonly RealEntry[] }
}

function readBundle(file: string): RealBundle {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function readLogs(file: string): readonly RealLog[] {
  const root: { readonly tlogs?: readonly RealLog[] } = JSON.parse(readFileSync(file, 'utf8'))
  return root.tlogs ?? []
}

function realLogs(): readonly RealLog[] {
  const roots = [
    ...readdirSync(`${data}/trust`)
      .filter((name) => name.endsWith('trusted_root.json'))
      .map((name) => `${data}/trust/${name}`),
    ...readdirSync(cases)
      .map((name) => `${cases}/${name}/trusted_root.json`)
      .filter((file) => existsSync(file)),
  ]
  return roots.flatMap(readLogs)
}

/** By key ID alone for a version 1 log, by the host name too for version 2. */
function verifierFor(log: RealLog): NoteVerifier {
  const key = parsePublicKey(decodeBase64(log.publicKey.rawBytes, 'key'))
  const isV1 = key.kind === 'ecdsa'
  const name = new URL(log.baseUrl ?? '').hostname
  const keyId = (isV1 ? sha256(key.spki) : noteKeyHash(name, key)).subarray(0, 4)
  return { ...(isV1 ? {} : { name }), keyId, key, algorithm: defaultSignatureAlgorithm(key) }
}

/** What becomes of a bundle's log entries: `verified`, or the code of the first error. */
function outcomeOf(entries: readonly RealEntry[], logs: readonly RealLog[]): string {
  let verified = 0
  for (const entry of entries) {
    const proof = entry.inclusionProof
    const log = logs.find(({ logId }) => logId.keyId === entry.logId.keyId)
    if (proof?.checkpoint === undefined || log === undefined) continue
    try {
      const note = parseSignedNote(proof.checkpoint.envelope)
      const checkpoint = parseCheckpoint(note.text)
      if (verifyNote(note, [verifierFor(log)]).length === 0) return 'no signature of the log'
      if (encodeHex(checkpoint.rootHash) !== encodeHex(decodeBase64(proof.rootHash, 'root'))) return 'another root'
      verifyInclusion({
        leafIndex: BigInt(proof.logIndex ?? '0'),
        treeSize: checkpoint.size,
        leafHash: leafHash(decodeBase64(entry.canonicalizedBody, 'body')),
        proof: (proof.hashes ?? []).map((hash) => decodeBase64(hash, 'hash')),
        root: checkpoint.rootHash,
      })
      verified++
    } catch (error) {
      if (error instanceof CountersignError) return error.code
      throw error
    }
  }
  return verified === 0 ? 'nothing to verify' : 'verified'
}

function outcomeOfBundle(file: string, logs: readonly RealLog[]): string {
  return outcomeOf(readBundle(file).verificationMaterial?.tlogEntries ?? [], logs)
}

/** Cases whose log entries do not verify; the others fail for other reasons, or not at all. */
const outcomes: Readonly<Record<string, string>> = {
  'bundle-empty-certificate-chain_fail': 'nothing to verify',
  'bundle-negative-log-index_fail': 'nothing to verify',
  'bundle-with-root-cert_fail': 'nothing to verify',
  'checkpoint-wrong-roothash_fail': 'another root',
  'inclusion-proof-corrupted-hash_fail': 'INCLUSION_PROOF_INVALID',
  // Its entry was rewritten for another key.
  'incorrect-public-key_fail': 'INCLUSION_PROOF_INVALID',
  'invalid-checkpoint-signature_fail': 'SIGNATURE_INVALID',
  'rekor2-checkpoint-missing-log-signature_fail': 'NOTE_INVALID',
  'rekor2-checkpoint-missing-origin_fail': 'CHECKPOINT_INVALID',
  'rekor2-checkpoint-missing-size_fail': 'CHECKPOINT_INVALID',
}

describe.skipIf(!isThere)(described, () => {
  const logs = isThere ? realLogs() : []
  const names = isThere ? readdirSync(cases).filter((name) => existsSync(`${cases}/${name}/bundle.sigstore.json`)) : []
  const isJson = (name: string) => name !== 'bundle-malformed-json_fail'

  it.each(names.filter(isJson))('give what the conformance case %s says', (name) => {
    expect(outcomeOfBundle(`${cases}/${name}/bundle.sigstore.json`, logs)).toBe(outcomes[name] ?? 'verified')
  })

  it('verify in bundles of version 0.3 from the public-good instance', () => {
    expect(outcomeOfBundle(`${data}/bundles/bundleV03-dsse.sigstore`, logs)).toBe('verified')
  })

  it('are signed with the key ID that the trusted root states, whole, for every version 2 log', () => {
    const version2 = logs.filter(({ publicKey }) => publicKey.keyDetails === 'PKIX_ED25519')
    expect(version2.length).toBeGreaterThan(3)
    for (const { baseUrl, publicKey, logId } of version2) {
      const keyHash = noteKeyHash(new URL(baseUrl ?? '').hostname, parsePublicKey(decodeBase64(publicKey.rawBytes, 'key')))
      expect(encodeHex(keyHash)).toBe(encodeHex(decodeBase64(logId.keyId, 'key ID')))
    }
  })

  it('are found on whichever line the log signed', () => {
    const file = `${cases}/rekor2-checkpoint-origin-not-first/bundle.sigstore.json`
    const entry = readBundle(file).verificationMaterial?.tlogEntries?.[0]
    const note = parseSignedNote(entry?.inclusionProof?.checkpoint?.envelope ?? '')
    expect(note.signatures.map(({ name }) => name)).toEqual(['witness.example', 'log2025-alpha1.rekor.sigstage.dev'])
  })
})
