/** The files that the repository distributes. */
import { CountersignError } from '../../error.ts'
import type { TargetDescription } from './metadata.ts'
import { sha256Hex } from './metadata.ts'

/** A target. */
export interface TufTarget {
  /** Its name without a folder, such as `trusted_root.json`. */
  readonly name: string
  readonly contents: Uint8Array
  /** What older Sigstore clients look a key or certificate up by; none for the files of newer ones. */
  readonly sigstore?: SigstoreUsage
}

/** `custom.sigstore` of a target (root-signing). */
export interface SigstoreUsage {
  readonly usage: 'Fulcio' | 'CTFE' | 'Rekor' | 'TSA' | 'Unknown'
  readonly status: 'Active' | 'Expired'
  /** Address of the service. */
  readonly uri: string
}

const maxTargets = 256
const maxBytes = 1024 * 1024

/**
 * Describes targets by name, as metadata does.
 * @throws CountersignError CONFIGURATION_INVALID for names that occur twice or are none
 */
export function describeTargets(targets: readonly TufTarget[]): Readonly<Record<string, TargetDescription>> {
  if (targets.length > maxTargets) throw invalid(`more than ${maxTargets} targets`)
  const described = new Map<string, TargetDescription>()
  for (const { name, contents, sigstore } of targets) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name)) throw invalid(`the name of a target should be a file name, found ${name}`)
    if (described.has(name)) throw invalid(`two targets are called ${name}`)
    if (contents.length > maxBytes) throw invalid(`the target ${name} has more than ${maxBytes} bytes`)
    const hashes = { sha256: sha256Hex(contents) }
    described.set(name, { length: contents.length, hashes, ...(sigstore === undefined ? {} : { custom: { sigstore } }) })
  }
  return Object.fromEntries(described)
}

/** Where a target lies below the repository's address, with consistent snapshots (TUF specification 6.2). */
export function targetPath(name: string, digest: string): string {
  return `targets/${digest}.${name}`
}

function invalid(message: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', message)
}
