/** The chain of evidence about an image: who signed, what vouches for them, when, in which log, and what did not count. */
import { digest } from '../../crypto/digest.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { FoundSignature } from '../../oci/found-signature.ts'
import type { VerifiedSignature } from '../../oci/verify-image.ts'
import type { Evidence } from '../../verify/evidence.ts'
import { placeInLog } from '../verification/report.ts'
import { describeName } from '../inspection/distinguished-name.ts'
import { formatInstant } from '../inspection/instant.ts'
import type { TreeNode } from '../inspection/tree.ts'
import { node } from '../inspection/tree.ts'
import type { RefusedImage, VerifiedImage } from './verify-images.ts'

const placeNames: Readonly<Record<FoundSignature['place'], string>> = {
  referrer: 'Sigstore bundle, OCI referrer',
  'legacy-referrer': 'layer of a referrer, as cosign 2 could make them',
  'signature-tag': 'layer under a .sig tag, as of cosign 1 and 2',
  'attestation-tag': 'layer under an .att tag, as of cosign 1 and 2',
  given: 'file',
}
const timeSources = {
  'transparency-log': 'promised by the log',
  'timestamp-authority': 'stamped by',
  'current-time': 'the time of this verification: no other was demanded',
} as const
const maxShown = 50

/** The tree of an image, whether it was verified or refused. */
export function evidenceTree({ image, findings, verification }: VerifiedImage | RefusedImage): TreeNode {
  const { verified, refused, others } = verification
  return node(image.name, '', [
    node('digest', image.descriptor.digest),
    node('looked into', '', [
      ...findings.looked.map((place) => node(place)),
      ...findings.failures.map(({ message }) => node('not possible', message)),
    ]),
    ...limited(verified.map(verifiedNode), 'verified'),
    ...limited(
      refused.map(({ found, error }) =>
        node('refused', found.where, [node('stored as', placeNames[found.place]), node('reason', error.message)]),
      ),
      'refused',
    ),
    ...limited(
      others.map((found) => node('not asked for', found.where, [node('stored as', placeNames[found.place]), node('it is', kindOf(found))])),
      'not asked for',
    ),
    ...limited(
      findings.unreadable.map((reason) => node('unreadable', reason)),
      'unreadable',
    ),
  ])
}

function verifiedNode({ found, evidence, claim }: VerifiedSignature): TreeNode {
  return node('verified', found.where, [
    node('stored as', placeNames[found.place]),
    claim === undefined
      ? node(
          'says',
          evidence.statement === undefined ? 'a signature of the manifest' : `statement of type ${evidence.statement.predicateType}`,
        )
      : node('says', `${claim.type} ${claim.dockerManifestDigest}`),
    signerNode(evidence),
    ...evidence.logEntries.map((entry) =>
      node('logged', `${placeInLog(entry)} of ${entry.logUrl}`, [
        node('kind', `${entry.kind} ${entry.version}`),
        ...(entry.integratedTime === undefined ? [] : [node('at', formatInstant(entry.integratedTime.getTime()))]),
        node(
          'proof',
          entry.treeSize === undefined
            ? 'the promise of the log (signed entry timestamp)'
            : `included in its tree of ${entry.treeSize} entries`,
        ),
      ]),
    ),
    ...(evidence.logEntries.length === 0 ? [node('logged', 'in no log that counts')] : []),
    ...evidence.times.map(({ time, source, authority }) =>
      node('time', `${formatInstant(time.getTime())}, ${timeSources[source]}${authority === '' ? '' : ` ${authority}`}`),
    ),
    ...evidence.notes.map((reason) => node('did not count', reason)),
  ])
}

function signerNode({ signer, certificateTimestamps }: Evidence): TreeNode {
  if (signer.kind === 'key') return node('signed with', 'the key given', [node('sha256', encodeHex(digest('sha256', signer.key.spki)))])
  const { certificate, identity, issuer } = signer
  return node('signed by', identity.value, [
    ...(issuer === undefined ? [] : [node('vouched for by', issuer)]),
    node('certificate', encodeHex(certificate.serialNumber), [
      node('issued by', describeName(certificate.issuer).text),
      node('valid', `${formatInstant(certificate.notBefore)} to ${formatInstant(certificate.notAfter)}`),
      ...certificateTimestamps.map(({ logUrl, time }) => node('published in', `${logUrl} at ${formatInstant(time.getTime())}`)),
      ...(certificateTimestamps.length === 0 ? [node('published in', 'no log that counts')] : []),
    ]),
  ])
}

function kindOf({ entity: { content } }: FoundSignature): string {
  return content.kind === 'dsse-envelope' ? 'an attestation, which is no signature of the image' : 'a signature, and no attestation'
}

function limited(nodes: readonly TreeNode[], what: string): readonly TreeNode[] {
  return nodes.length <= maxShown ? nodes : [...nodes.slice(0, maxShown), node(what, `and ${nodes.length - maxShown} more`)]
}
