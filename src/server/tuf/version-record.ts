/**
 * The highest versions that were published, kept outside the database: a database restored from an old backup must not make
 * versions go back, because clients refuse that for good reason (TUF specification 5.4.3, 5.5.5).
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { parseJson } from '../../encoding/json.ts'
import { JsonFields } from '../../encoding/json-fields.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { readBoundedFile, replaceFile } from '../../tuf/bounded-file.ts'
import { noVersions } from './edition.ts'
import type { ByRole, PublishedState } from './repository-store.ts'

/** What was published last. */
export interface PublishedVersions {
  readonly versions: ByRole
  /** SHA-256 of timestamp.json, in hexadecimal: tells two histories with the same versions apart. */
  readonly timestampDigest: string
}

/** Remembers what was published, durably and apart from the database. */
export interface VersionRecord {
  /** Names the record in messages, such as the path of its file. */
  readonly name: string
  read(): Promise<PublishedVersions | undefined>
  /** Resolves when it is durable. */
  write(published: PublishedVersions): Promise<void>
}

const maxBytes = 4096

/** A record in a file, replaced as a whole. Throws CountersignError STORAGE_FAILED. */
export function createVersionFile(file: string): VersionRecord {
  return {
    name: file,
    read: async () => {
      try {
        const bytes = await readBoundedFile(file, maxBytes)
        return bytes && parseRecord(bytes, file)
      } catch (cause) {
        throw new CountersignError('STORAGE_FAILED', `the record of published TUF versions could not be read: ${messageOf(cause)}`, {
          cause,
        })
      }
    },
    write: async (published) => {
      try {
        await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
        await replaceFile(file, `${JSON.stringify(published)}\n`, true)
      } catch (cause) {
        throw new CountersignError('STORAGE_FAILED', `the record of published TUF versions could not be written: ${messageOf(cause)}`, {
          cause,
        })
      }
    },
  }
}

/**
 * Holds what is published against the record.
 * @param mayBeOlder an operator has looked into it
 * @returns what is recorded
 * @throws CountersignError TUF_ROLLED_BACK when the database is older, or has another history; STORAGE_FAILED
 */
export async function checkRecord(
  record: VersionRecord | undefined,
  state: PublishedState | undefined,
  mayBeOlder = false,
): Promise<PublishedVersions | undefined> {
  const recorded = await record?.read()
  if (record !== undefined && recorded !== undefined && !mayBeOlder) checkNotRolledBack(publishedVersions(state), recorded, record.name)
  return recorded
}

/** Records what is published, if it is not what is recorded. @throws CountersignError STORAGE_FAILED */
export async function keepRecord(
  record: VersionRecord | undefined,
  state: PublishedState,
  recorded: PublishedVersions | undefined,
): Promise<void> {
  const published = publishedVersions(state)
  // A root that was merely renewed leaves the timestamp as it is.
  const isKnown = recorded?.timestampDigest === published.timestampDigest && recorded.versions.root === published.versions.root
  if (!isKnown) await record?.write(published)
}

function publishedVersions(state: PublishedState | undefined): PublishedVersions {
  return { versions: state?.versions ?? noVersions, timestampDigest: state?.files['timestamp.json'] ?? '' }
}

function checkNotRolledBack(found: PublishedVersions, recorded: PublishedVersions, record: string): void {
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    if (found.versions[role] >= recorded.versions[role]) continue
    throw rolledBack(
      `the database has version ${found.versions[role]} of ${role}.json, and version ${recorded.versions[role]} was published before (${record})`,
    )
  }
  if (found.versions.timestamp === recorded.versions.timestamp && found.timestampDigest !== recorded.timestampDigest) {
    throw rolledBack(
      `the database has another version ${found.versions.timestamp} of timestamp.json than the one published before (${record})`,
    )
  }
}

function rolledBack(finding: string): CountersignError {
  return new CountersignError(
    'TUF_ROLLED_BACK',
    `nothing is signed for the TUF repository: ${finding}; restore a newer backup, or go on above the recorded versions with: countersign server tuf resume`,
  )
}

function parseRecord(bytes: Uint8Array, file: string): PublishedVersions {
  const fields = new JsonFields(parseJson(bytes, file, { maxBytes }), file, 'STORAGE_FAILED')
  const versions = fields.object('versions')
  const [root = 0, timestamp = 0, snapshot = 0, targets = 0] = ['root', 'timestamp', 'snapshot', 'targets'].map((role) =>
    Number(versions.int64(role)),
  )
  return { versions: { root, timestamp, snapshot, targets }, timestampDigest: fields.string('timestampDigest') }
}
