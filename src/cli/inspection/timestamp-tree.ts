/** What is shown of an RFC 3161 timestamp, and the lines about all of a bundle's. */
import { parseTimestampResponse } from '../../x509/timestamp-token.ts'
import type { TimestampToken } from '../../x509/timestamp-token.ts'
import { attempt } from './attempt.ts'
import { formatInstant } from './instant.ts'
import type { TreeNode } from './tree.ts'
import { node, present, unparsable } from './tree.ts'

/** A line for the timestamps of a bundle; none when the bundle has no place for them. */
export function timestampsTree(timestamps: readonly Uint8Array[] | undefined): TreeNode[] {
  if (timestamps === undefined) return []
  return [node('Timestamp Verification Data', '', [node('RFC3161 Timestamps', `${timestamps.length}`), ...timestamps.map(timestampNode)])]
}

/** The serial number of a token in decimal, as authorities print it. */
export function serialNumberOf({ serialNumber }: TimestampToken): string {
  let value = 0n
  for (const byte of serialNumber) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(serialNumber.length * 8, value).toString()
}

/** The name that Go and most programs have for the digest of the imprint: `SHA-256`. */
export function imprintAlgorithmOf({ imprint }: TimestampToken): string {
  return imprint.algorithm.replace('sha', 'SHA-')
}

function timestampNode(response: Uint8Array, index: number): TreeNode {
  const label = `Timestamp [${index}]`
  const { value: token, problem } = attempt(() => parseTimestampResponse(response))
  if (token === undefined) return node(label, unparsable(problem))
  return node(label, '', [
    node('Time', formatInstant(token.genTime)),
    node('Hash Algorithm', imprintAlgorithmOf(token)),
    node('Message Imprint', present(token.imprint.digest.length)),
    node('Serial Number', serialNumberOf(token)),
    node('Policy', token.policy),
  ])
}
