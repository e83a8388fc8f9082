/** The lines about what was signed. */
import { inTotoPayloadType } from '../../bundle/dsse.ts'
import { attempt } from './attempt.ts'
import { decodeHint } from './key-hint.ts'
import type { ContentOutline, EnvelopeOutline, KeyOutline, MessageOutline } from './outline.ts'
import type { StatementOutline } from './statement-outline.ts'
import { outlineStatement, subjectName } from './statement-outline.ts'
import type { TreeNode } from './tree.ts'
import { node, present, unparsable, warning } from './tree.ts'

/** The lines about the content of a bundle. */
export function contentTree(content: ContentOutline, key: KeyOutline | undefined): TreeNode[] {
  return content.kind === 'message-signature' ? messageTree(content) : envelopeTree(content, key)
}

function messageTree({ digest, signature }: MessageOutline): TreeNode[] {
  const nodes = [node('Type', 'Message Signature')]
  if (digest !== undefined) {
    nodes.push(node('Message Digest', '', [node('Algorithm', digest.algorithm), node('Digest', present(digest.value.length))]))
  }
  nodes.push(node('Signature', present(signature.length)))
  return nodes
}

function envelopeTree(envelope: EnvelopeOutline, key: KeyOutline | undefined): TreeNode[] {
  const { payloadType, payload, signatures } = envelope
  const nodes = [node('Type', 'DSSE Envelope'), node('Payload Type', payloadType), node('Payload', present(payload.length))]
  if (payloadType === inTotoPayloadType) nodes.push(statementNode(payload))
  nodes.push(
    node(
      'Signatures',
      `${signatures.length}`,
      signatures.map((signature, index) => signatureNode(signature, index, key)),
    ),
  )
  if (signatures.length !== 1) nodes.push(warning('DSSE envelope MUST contain only one signature'))
  return nodes
}

function statementNode(payload: Uint8Array): TreeNode {
  const label = 'Payload Content (in-toto)'
  const { value: statement, problem } = attempt(() => outlineStatement(payload))
  if (statement === undefined) return node(label, unparsable(problem))
  return node(label, statement.refusal === undefined ? '' : unparsable(statement.refusal), statementTree(statement))
}

function statementTree({ predicateType, subjects }: StatementOutline): TreeNode[] {
  const nodes: TreeNode[] = []
  if (predicateType !== undefined) nodes.push(node('Predicate Type', predicateType))
  if (subjects !== undefined) {
    const names = subjects.flatMap((subject) => subjectName(subject) ?? [])
    nodes.push(
      node(
        'Subjects',
        `${subjects.length}`,
        names.map((name) => node('Name', name)),
      ),
    )
  }
  return nodes
}

function signatureNode({ signature, keyId }: EnvelopeOutline['signatures'][number], index: number, key: KeyOutline | undefined): TreeNode {
  const nodes = [node('Signature', present(signature.length))]
  if (keyId !== '') {
    nodes.push(node('Key Hint', decodeHint(keyId)))
    if (key?.kind === 'hint' && key.hint !== keyId) nodes.push(warning('Key hint mismatch with Verification Material'))
  }
  return node(`Signature [${index}]`, '', nodes)
}
