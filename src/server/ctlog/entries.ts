/** Logged entries in the forms that readers ask for. */
import { concatBytes } from '../../encoding/bytes.ts'
import { tlsOpaque } from '../../encoding/tls.ts'
import type { CtEntry } from '../../api/certificate-transparency.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import type { GeneralName } from '../../x509/general-name.ts'
import { parseMerkleTreeLeaf, timestampedEntryOf } from '../../x509/merkle-tree-leaf.ts'
import { describeName } from '../../x509/name.ts'
import type { LoggedEntry } from '../tile-log/log.ts'
import { parseExtra } from './extra.ts'
import type { IssuerStore } from './issuer-store.ts'

/** An entry as `get-entries` gives it (RFC 6962 section 4.6). @throws CountersignError LOG_CORRUPT */
export async function ctEntryOf({ leaf, extra }: LoggedEntry, issuers: IssuerStore): Promise<CtEntry> {
  const { precertificate, fingerprints } = parseExtra(extra, parseMerkleTreeLeaf(leaf).entry.kind)
  const chain: Uint8Array[] = []
  for (const fingerprint of fingerprints) chain.push(tlsOpaque(await issuers.get(fingerprint), 3))
  const list = tlsOpaque(concatBytes(...chain), 3)
  return { leafInput: leaf, extraData: precertificate === undefined ? list : concatBytes(tlsOpaque(precertificate, 3), list) }
}

/** A data tile: the TileLeafs one after another (C2SP static-ct-api, "Log entries"). */
export function encodeDataTile(entries: readonly LoggedEntry[]): Uint8Array {
  return concatBytes(...entries.flatMap(({ leaf, extra }) => [timestampedEntryOf(leaf), extra]))
}

/**
 * A names tile, as Sunlight has it: one line of JSON for each entry. E-mail addresses and URIs, which are the names in Sigstore's
 * certificates, stand beside the members that Sunlight knows.
 */
export function encodeNamesTile(entries: readonly LoggedEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(namesOf(entry))}\n`).join('')
}

function namesOf({ leaf, extra }: LoggedEntry): object {
  const { timestamp, entry } = parseMerkleTreeLeaf(leaf)
  const der = entry.kind === 'certificate' ? entry.der : parseExtra(extra, entry.kind).precertificate
  const certificate = parseCertificate(der ?? new Uint8Array(0))
  // JSON.stringify leaves out what is undefined.
  return {
    Timestamp: timestamp,
    Subject: subjectOf(certificate),
    DNS: alternativeNames(certificate, 'dns'),
    Email: alternativeNames(certificate, 'email'),
    URI: alternativeNames(certificate, 'uri'),
  }
}

function subjectOf({ subject }: Certificate): object | undefined {
  const { commonName, organization } = describeName(subject)
  if (commonName === undefined && organization === undefined) return undefined
  return { Organization: organization === undefined ? undefined : [organization], CommonName: commonName }
}

function alternativeNames(certificate: Certificate, kind: GeneralName['kind']): string[] | undefined {
  const names = certificate.subjectAlternativeNames.filter((name) => name.kind === kind).map(({ value }) => value)
  return names.length === 0 ? undefined : names
}
