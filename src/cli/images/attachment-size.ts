/** How large a signature, an attestation or another attachment may be: `COSIGN_MAX_ATTACHMENT_SIZE`. */
import { UsageError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'

const defaultBytes = 128 * 1024 * 1024
const unitPowers = ['', 'k', 'm', 'g', 't']

/**
 * Reads the variable: bytes, with a unit of 1000 (`MB`, `M`) or of 1024 (`MiB`, `Mi`) where one is given, in any case.
 * @throws UsageError USAGE
 */
export function maxAttachmentBytes(env: Readonly<Record<string, string | undefined>>): number {
  const text = env['COSIGN_MAX_ATTACHMENT_SIZE'] ?? ''
  if (text === '') return defaultBytes
  const [, digits, prefix = '', binary] = /^([0-9][0-9,]*(?:\.[0-9]+)?) ?([kmgt]?)(i?)b?$/i.exec(text) ?? []
  const bytes = Math.floor(Number(digits?.replaceAll(',', '')) * (binary === '' ? 1000 : 1024) ** unitPowers.indexOf(prefix.toLowerCase()))
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new UsageError('USAGE', `COSIGN_MAX_ATTACHMENT_SIZE should be a size like 128MiB, found ${excerpt(text)}`)
}
