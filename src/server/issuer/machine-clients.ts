/** Machine clients: programs with a secret of their own, each of which names one identity. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { decodeBase64Url, encodeBase64Url } from '../../encoding/base64.ts'
import type { Identity } from './id-token.ts'
import type { MachineSettings } from './settings.ts'

/** A new secret, to be shown once, and the hash of it for the configuration. */
export interface MachineSecret {
  readonly secret: string
  readonly secretHash: string
}

/** What the subjects of machines begin with that have no other. */
const machineConnector = 'machine'

const prefix = '$sha256$'

/** Makes a secret of 256 random bits, which nobody can guess: one plain hash protects it well. */
export function createMachineSecret(): MachineSecret {
  const secret = encodeBase64Url(randomBytes(32))
  return { secret, secretHash: `${prefix}${encodeBase64Url(hash(secret))}` }
}

/** Whether a secret is the one of the hash, in constant time. */
export function isMachineSecret(secret: string, secretHash: string): boolean {
  const expected = decodeBase64Url(secretHash.slice(prefix.length), 'the hash of a secret')
  const found = hash(secret)
  return found.length === expected.length && timingSafeEqual(found, expected)
}

/** Whom the tokens of a machine are about. */
export function identityOfMachine({ id, subject, email }: MachineSettings): Identity {
  return { subject: subject ?? `${machineConnector}:${id}`, ...(email === undefined ? {} : { email }) }
}

function hash(secret: string): Uint8Array {
  return createHash('sha256').update(secret, 'utf8').digest()
}
