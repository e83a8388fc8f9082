/** The PEM of private keys: a text with one of them, encrypted or not. */
import type { PemBlock } from '../encoding/pem.ts'
import { parsePem } from '../encoding/pem.ts'
import { DecodingError, messageOf } from '../error.ts'

/**
 * Reads the one block of a text.
 * @param passedOver the label of blocks that may stand beside it
 * @throws DecodingError PEM_INVALID (`invalid pem block`)
 */
export function readSingleBlock(text: string, passedOver?: string): PemBlock {
  let blocks: PemBlock[]
  try {
    blocks = parsePem(text, 'the private key')
  } catch (error) {
    // Without its cause, which may quote the text: it is a secret, and whoever gives the wrong file may have given another one.
    throw new DecodingError('PEM_INVALID', `invalid pem block: ${messageOf(error)}`)
  }
  const [block, ...others] = blocks.filter(({ label }) => label !== passedOver)
  if (block === undefined || others.length > 0)
    throw new DecodingError('PEM_INVALID', `invalid pem block: expected one key, found ${blocks.length} blocks`)
  return block
}
