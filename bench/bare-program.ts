/** The floor of a whole process: a program that does nothing but the operations a bundle cannot be verified without. */
import { loadTrustMaterial } from '../src/trust/trust-material.ts'
import { bareOperations } from './bare-crypto.ts'
import type { BundleCase } from './bundle-case.ts'

/**
 * The source of a program for Node, with every input in it as text: it reads no file, parses no bundle and no trusted root, knows which
 * certificate and key each signature is of, and takes the word of the trusted root for its intermediates.
 */
export function bareProgram(testCase: BundleCase): string {
  const operations = bareOperations(testCase, loadTrustMaterial(testCase.trustedRoot.json))
  const calls = operations.map(({ input: { hash, spki, signed, signature } }) => {
    const key = `createPublicKey({ key: ${bytes(spki)}, format: 'der', type: 'spki' })`
    return `if (!verify(${JSON.stringify(hash)}, ${bytes(signed)}, ${key}, ${bytes(signature)})) process.exit(1)`
  })
  return ["const { createPublicKey, verify } = require('node:crypto')", ...calls, 'process.exit(0)', ''].join('\n')
}

function bytes(value: Uint8Array): string {
  return `Buffer.from('${Buffer.from(value).toString('base64')}', 'base64')`
}
