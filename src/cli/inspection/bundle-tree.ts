/** The lines about a bundle, as `cosign bundle inspect` prints them where it knows no trusted root. */
import type { BundleVersion } from '../../bundle/signed-entity.ts'
import { attempt } from './attempt.ts'
import { certificateTree, publicKeyTree } from './certificate-tree.ts'
import { contentTree } from './content-tree.ts'
import { decodeHint } from './key-hint.ts'
import { logEntriesTree } from './log-entry-tree.ts'
import type { BundleOutline, KeyOutline, MaterialOutline } from './outline.ts'
import { describePublicKey } from './public-key-details.ts'
import { timestampsTree } from './timestamp-tree.ts'
import type { TreeNode } from './tree.ts'
import { node, unparsable, warning } from './tree.ts'

/** The lines about a bundle. */
export function bundleTree(bundle: BundleOutline): TreeNode[] {
  const { material, content, version } = bundle
  return [
    ...mediaTypeTree(bundle),
    material === undefined
      ? warning('Missing Verification Material')
      : node('Verification Material', '', materialTree(bundle, material, version)),
    content === undefined ? warning('Missing Content') : node('Content', '', contentTree(content, material?.key)),
  ]
}

function mediaTypeTree({ format, mediaType, version }: BundleOutline): TreeNode[] {
  if (format === 'cosign-local-bundle') return [node('Bundle Media Type', 'none (local bundle of cosign 1 or 2)')]
  const stated = node('Bundle Media Type', mediaType)
  if (mediaType === '') return [stated, warning('Missing Bundle Media Type')]
  return version === undefined ? [stated, warning('Unrecognized Media Type')] : [stated]
}

function materialTree({ format }: BundleOutline, material: MaterialOutline, version: BundleVersion | undefined): TreeNode[] {
  const { key, logEntries, timestamps } = material
  return [
    key === undefined ? missingKey(format) : keyNode(key, version),
    ...logEntriesTree(logEntries, version),
    ...timestampsTree(timestamps),
  ]
}

function missingKey(format: BundleOutline['format']): TreeNode {
  if (format === 'cosign-local-bundle') return node('Content', 'None (verified with a key from elsewhere)')
  return warning('Missing Verification Material Content (must be certificate, chain, or public key)')
}

function keyNode(key: KeyOutline, version: BundleVersion | undefined): TreeNode {
  switch (key.kind) {
    case 'certificate':
      return node('Content', 'X.509 Certificate', certificateNodes(key.certificate, version))
    case 'certificate-chain':
      return node('Content', 'X.509 Certificate Chain', chainNodes(key.certificates, version))
    case 'hint':
      return node('Content', 'Public Key Identifier', [
        key.hint === '' ? warning('Public key hint is empty') : node('Hint', decodeHint(key.hint)),
      ])
    case 'public-key':
      return node('Content', 'Public Key', publicKeyTree(attempt(() => describePublicKey(key.spki))))
    case 'malformed':
      return node('Content', unparsable(key.problem))
  }
}

function certificateNodes(certificate: Uint8Array, version: BundleVersion | undefined): TreeNode[] {
  const nodes = certificate.length === 0 ? [warning('Certificate raw_bytes is empty')] : certificateTree(certificate)
  if (version === '0.1' || version === '0.2') {
    nodes.push(warning('v0.1/v0.2 bundle should use certificate chain, not single certificate'))
  }
  return nodes
}

function chainNodes(certificates: readonly Uint8Array[], version: BundleVersion | undefined): TreeNode[] {
  const nodes =
    certificates.length === 0
      ? [warning('Certificate chain is empty')]
      : [
          node('Certificates', `${certificates.length}`),
          ...certificates.map((certificate, index) => node(`Certificate [${index}]`, '', certificateTree(certificate))),
        ]
  if (version === '0.3') nodes.push(warning('v0.3 bundle should use single certificate, not chain'))
  return nodes
}
