/** The lines about a certificate, and about a public key. */
import { encodeHex } from '../../encoding/hex.ts'
import type { GeneralName } from '../../x509/general-name.ts'
import type { SignedCertificateTimestamp, UncheckableSct } from '../../x509/sct.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import type { CertificateDetails } from './certificate-details.ts'
import { describeCertificate } from './certificate-details.ts'
import type { DistinguishedName } from './distinguished-name.ts'
import type { ExtensionDetails } from './extension-details.ts'
import { formatInstant } from './instant.ts'
import type { PublicKeyDetails } from './public-key-details.ts'
import type { TreeNode } from './tree.ts'
import { node, present, unparsable } from './tree.ts'

const nameLabels: Readonly<Record<GeneralName['kind'], string>> = {
  email: 'Email',
  uri: 'URI',
  dns: 'DNS Name',
  ip: 'IP Address',
  username: 'User Name',
  other: 'Other Name',
}

/** cosign's order, kind by kind, and after it the kinds that it leaves out. */
const nameOrder: readonly GeneralName['kind'][] = ['email', 'uri', 'dns', 'ip', 'username', 'other']

/** The lines about a DER certificate: one, saying why, when it cannot be parsed. */
export function certificateTree(der: Uint8Array): TreeNode[] {
  const { value: details, problem } = attempt(() => describeCertificate(der))
  if (details === undefined) return [node('Error', unparsable(problem))]
  const { certificate, signatureAlgorithm, subject, issuer } = details
  return [
    node('Signature Algorithm', signatureAlgorithm),
    ...(subject.text === '' ? [] : [node('Subject', subject.text)]),
    ...issuerTree(issuer),
    node('Validity', '', [
      node('Not Before', formatInstant(certificate.notBefore)),
      node('Not After', formatInstant(certificate.notAfter)),
    ]),
    node('Subject Public Key Info', '', publicKeyTree(details.publicKey)),
    node('Extensions', '', extensionsTree(details)),
    node('Signature', present(certificate.signature.length)),
  ]
}

/** The lines about a public key. */
export function publicKeyTree({ value: key, problem }: Attempt<PublicKeyDetails>): TreeNode[] {
  if (key === undefined) return [node('Algorithm', unparsable(problem))]
  const algorithm = node('Algorithm', key.algorithm)
  switch (key.algorithm) {
    case 'ECDSA':
      return [algorithm, node('Curve', key.curve), node('Public Key', abbreviate(key.point))]
    case 'Ed25519':
      return [algorithm, node('Public Key', abbreviate(key.point))]
    case 'RSA':
      return [algorithm, node('Key Size', `${key.bits} bits`)]
    case 'Unknown':
      return [algorithm]
  }
}

function issuerTree({ commonName, organizations, countries }: DistinguishedName): TreeNode[] {
  const parts: TreeNode[] = []
  if (commonName !== '') parts.push(node('Common Name', commonName))
  if (organizations[0] !== undefined) parts.push(node('Organization', organizations[0]))
  if (countries[0] !== undefined) parts.push(node('Country', countries[0]))
  return parts.length === 0 ? [] : [node('Issuer', '', parts)]
}

function extensionsTree({ certificate, subject, keyUsages, purposes, extensions }: CertificateDetails): TreeNode[] {
  const nodes: TreeNode[] = []
  const names = identityTree(subject, certificate.subjectAlternativeNames)
  if (names.length > 0) nodes.push(node('Identity (Subject Alternative Name)', '', names))
  if (keyUsages.length > 0) nodes.push(node('Key Usage', keyUsages.join(', ')))
  const known = purposes.flatMap(({ name }) => name ?? [])
  if (known.length > 0) nodes.push(node('Extended Key Usage', known.join(', ')))
  const unknown = purposes.filter(({ name }) => name === undefined).map(({ oid }) => oid)
  if (unknown.length > 0) nodes.push(node('Unknown Extended Key Usage', unknown.join(', ')))
  const { subjectKeyIdentifier, authorityKeyIdentifier } = certificate
  if (subjectKeyIdentifier !== undefined) nodes.push(node('Subject Key ID', encodeHex(subjectKeyIdentifier)))
  if (authorityKeyIdentifier !== undefined) nodes.push(node('Authority Key ID', encodeHex(authorityKeyIdentifier)))
  nodes.push(...extensions.map(extensionNode))
  return nodes
}

function identityTree(subject: DistinguishedName, names: readonly GeneralName[]): TreeNode[] {
  return [
    ...(subject.commonName === '' ? [] : [node('Common Name', subject.commonName)]),
    ...nameOrder.flatMap((kind) => names.filter((name) => name.kind === kind).map(({ value }) => node(nameLabels[kind], value))),
  ]
}

function extensionNode(extension: ExtensionDetails): TreeNode {
  switch (extension.kind) {
    case 'text':
      return node(extension.label, extension.text)
    case 'opaque':
      return node(...opaque(extension))
    case 'scts': {
      const { value: scts, problem } = extension.scts
      if (scts !== undefined) return node('Signed Certificate Timestamps', `${scts.length}`, scts.map(sctNode))
      const [label, value] = opaque(extension)
      return node(label, `${value} ${unparsable(problem)}`)
    }
  }
}

function opaque({ oid, critical, bytes }: ExtensionDetails): [label: string, value: string] {
  return [`OID: ${oid}`, `(Critical: ${critical}) [${bytes.length} bytes]`]
}

function sctNode(sct: SignedCertificateTimestamp | UncheckableSct, index: number): TreeNode {
  return node(`Signed Certificate Timestamp [${index}]`, '', [
    // parseSct knows no other version.
    node('Version', 'v1'),
    node('Log ID', encodeHex(sct.logId)),
    node('Timestamp', formatInstant(sct.timestamp)),
    node('Extensions', sct.extensions.length === 0 ? 'none' : `${sct.extensions.length} bytes`),
    node('Signature', present(sct.signature.length)),
  ])
}

/** The ends of a key in hexadecimal; all of it up to ten bytes. */
function abbreviate(key: Uint8Array): string {
  const hex = encodeHex(key)
  return key.length > 10 ? `${hex.slice(0, 8)}...${hex.slice(-8)} (${key.length} bytes)` : hex
}
