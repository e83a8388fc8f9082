/** The lines about an entry of a transparency log. */
import type { BundleVersion } from '../../bundle/signed-entity.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import { formatSeconds } from './instant.ts'
import type { InclusionProofOutline, LogEntryOutline } from './outline.ts'
import type { SignedCheckpoint } from './signed-checkpoint.ts'
import { parseSignedCheckpoint } from './signed-checkpoint.ts'
import type { TreeNode } from './tree.ts'
import { node, present, unparsable, warning } from './tree.ts'

/** The entries of a bundle, under one line; no line when there are none. */
export function logEntriesTree(entries: readonly Attempt<LogEntryOutline>[], version: BundleVersion | undefined): TreeNode[] {
  if (entries.length === 0) return []
  return [
    node(
      'Transparency Log Entries',
      `${entries.length}`,
      entries.map((entry, index) => entryNode(entry, index, version)),
    ),
  ]
}

function entryNode({ value: entry, problem }: Attempt<LogEntryOutline>, index: number, version: BundleVersion | undefined): TreeNode {
  const label = `Entry [${index}]`
  if (entry === undefined) return node(label, unparsable(problem))
  return node(label, '', [...entryTree(entry), ...entryWarnings(entry, version)])
}

function entryTree(entry: LogEntryOutline): TreeNode[] {
  const { logId, kindVersion, signedEntryTimestamp, inclusionProof, body } = entry
  const nodes = [node('Log Index', `${entry.logIndex}`)]
  if (logId !== undefined) nodes.push(node('Log ID', encodeHex(logId)))
  if (kindVersion !== undefined) nodes.push(node('Kind', kindVersion.kind), node('Version', kindVersion.version))
  nodes.push(node('Integrated Time', entry.integratedTime === 0n ? '0 (Not set)' : formatSeconds(entry.integratedTime)))
  if (signedEntryTimestamp !== undefined) {
    nodes.push(node('Inclusion Promise', '', [node('Signed Entry Timestamp', present(signedEntryTimestamp.length))]))
  }
  if (inclusionProof !== undefined) nodes.push(node('Inclusion Proof', '', proofTree(inclusionProof)))
  if (body.length > 0) nodes.push(node('Canonicalized Body', present(body.length)))
  return nodes
}

function entryWarnings({ signedEntryTimestamp, inclusionProof }: LogEntryOutline, version: BundleVersion | undefined): TreeNode[] {
  if (version === undefined) return []
  if (version === '0.1') {
    return signedEntryTimestamp === undefined ? [warning('v0.1 bundle tlog entry MUST contain an inclusion promise')] : []
  }
  return inclusionProof === undefined ? [warning(`v${version} bundle tlog entry MUST contain an inclusion proof`)] : []
}

function proofTree({ logIndex, treeSize, hashes, checkpoint }: InclusionProofOutline): TreeNode[] {
  return [
    node('Log Index', `${logIndex}`),
    node('Tree Size', `${treeSize}`),
    node('Hashes', `${hashes.length}`),
    ...(checkpoint === undefined ? [] : [checkpointNode(checkpoint)]),
  ]
}

function checkpointNode(envelope: string): TreeNode {
  const { value: checkpoint, problem } = attempt(() => parseSignedCheckpoint(envelope))
  if (checkpoint !== undefined) return node('Checkpoint', '', checkpointTree(checkpoint))
  return node('Checkpoint', unparsable(problem), [node('Envelope', present(Buffer.byteLength(envelope)))])
}

function checkpointTree({ origin, size, extensions, signatures }: SignedCheckpoint): TreeNode[] {
  const nodes = [node('Origin', origin), node('Tree Size', `${size}`)]
  if (extensions.length > 0) {
    const lines = extensions.map((line, index) => node(`[${index}]`, line))
    nodes.push(node('Other Content', `${extensions.length} lines`, lines))
  }
  const witnesses = signatures.map(({ name, signature }) => node(name, `Signature ${present(signature.length)}`))
  nodes.push(node('Witnesses', `${signatures.length}`, witnesses))
  return nodes
}
