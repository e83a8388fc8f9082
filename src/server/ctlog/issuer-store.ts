/** The issuers of logged certificates, by the SHA-256 of their DER: entries name them instead of repeating them. */
import { digest } from '../../crypto/digest.ts'
import { decodeBase64, encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError } from '../../error.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { SubmittedPath } from './chain.ts'

export interface IssuerStore {
  /** Resolves when all of them are durable. */
  keep(path: Pick<SubmittedPath, 'issuers' | 'fingerprints'>): Promise<void>
  /** The issuer, DER, with this fingerprint in lower case hexadecimal. */
  find(fingerprint: string): Promise<Uint8Array | undefined>
  /** As `find`, for an issuer that an entry names. @throws CountersignError LOG_CORRUPT when it is not there */
  get(fingerprint: Uint8Array): Promise<Uint8Array>
}

const collection = 'ct-issuers'
/** Only issuers below accepted roots are kept, so there are few; this holds even if there are not. */
const maxRemembered = 1000

export function createIssuerStore(documents: Pick<DocumentStore, 'get' | 'put'>): IssuerStore {
  const remembered = new Map<string, Uint8Array>()
  const kept = new WeakSet<object>()
  const remember = (fingerprint: string, der: Uint8Array): void => {
    if (remembered.size < maxRemembered) remembered.set(fingerprint, der)
  }
  const find = async (fingerprint: string): Promise<Uint8Array | undefined> => {
    const known = remembered.get(fingerprint)
    if (known !== undefined) return known
    const document = await documents.get(collection, fingerprint)
    if (document === undefined) return undefined
    const der = decodeBase64(
      new JsonFields(parseJson(document.json, 'a stored issuer'), 'issuer', 'LOG_CORRUPT').string('der'),
      'issuer.der',
    )
    remember(fingerprint, der)
    return der
  }
  return {
    keep: async (path) => {
      if (kept.has(path)) return
      for (const [at, { bytes }] of path.issuers.entries()) {
        const fingerprint = encodeHex(path.fingerprints[at] ?? digest('sha256', bytes))
        if (remembered.has(fingerprint)) continue
        // One that is there already is the same: its name is its hash.
        await documents.put(collection, fingerprint, JSON.stringify({ der: encodeBase64(bytes) }), { ifVersion: 0 })
        remember(fingerprint, Uint8Array.from(bytes))
      }
      kept.add(path)
    },
    find,
    get: async (fingerprint) => {
      const hex = encodeHex(fingerprint)
      const der = await find(hex)
      if (der === undefined) throw new CountersignError('LOG_CORRUPT', `the issuer ${hex} of a logged certificate is not in the storage`)
      return der
    },
  }
}
