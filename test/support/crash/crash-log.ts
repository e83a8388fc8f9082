/** The log that is crashed: what processes and checks open. */
import { decodeHex } from '../../../src/encoding/hex.ts'
import { parsePrivateKey } from '../../../src/crypto/private-key.ts'
import type { Checkpoint } from '../../../src/merkle/checkpoint.ts'
import { createNoteSigner, signCheckpoint } from '../../../src/merkle/note-signer.ts'
import { parseSignedNote, verifyNote } from '../../../src/merkle/signed-note.ts'
import type { StorageLocation } from '../../../src/server/storage/storage.ts'
import type { LogHead } from '../../../src/server/tile-log/log.ts'

/** Where a process ends itself. */
export interface CrashPoint {
  /** How the step starts, as the log or the database tells it. */
  readonly step: string
  /** At which of its occurrences, from 1. */
  readonly occurrence: number
}

export interface AddingOptions {
  readonly location: StorageLocation
  readonly headsFolder: string
  readonly adders: number
  /** Tells the entries of one process from those of others. */
  readonly name: string
  readonly crash?: CrashPoint
  readonly sqliteWorker?: string
}

/** A line of the process: an entry that was answered. Numbers are decimal, the root is hexadecimal. */
export interface Acknowledged {
  /** What tells it from all others; `leafText` makes the leaf of it. */
  readonly entry: string
  readonly index: string
  readonly size: string
  readonly rootHash: string
}

/** The environment variable with the `AddingOptions` of a process: its threads see it too. */
export const optionsVariable = 'ADDING_OPTIONS'

/** The options of this process. */
export function addingOptions(): AddingOptions {
  return JSON.parse(process.env[optionsVariable] ?? '') as AddingOptions
}

/** A key that is the same in every process, so that checkpoints can be compared. */
const signer = parsePrivateKey(decodeHex(`302e020100300506032b657004220420${'5a'.repeat(32)}`, 'the key')).createSigner()
const noteSigner = createNoteSigner('crash.example.com', signer)

export const crashLog = {
  id: 'crash',
  origin: 'crash.example.com',
  state: 'active',
  signCheckpoint: (checkpoint: Checkpoint) => signCheckpoint(checkpoint, [noteSigner]),
} as const

/** @throws when the head is not signed by the log's key */
export function verifyCheckpoint(head: LogHead): void {
  const verifier = { ...noteSigner, key: signer.publicKey, algorithm: signer.algorithm }
  if (verifyNote(parseSignedNote(head.checkpoint), [verifier]).length !== 1) throw new Error('the checkpoint is not signed')
}

/** About 1 KiB, different for every entry. */
export function leafText(entry: string): string {
  return `${entry} ${'x'.repeat(1_000)}`
}

/** Ends the process at a step, as SIGKILL from outside does. @returns a listener for steps */
export function crashCounter(crash: CrashPoint | undefined): (step: string) => void {
  let left = crash?.occurrence ?? 0
  return (step) => {
    if (crash === undefined || !step.startsWith(crash.step)) return
    left--
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
