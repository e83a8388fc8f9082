/** The statement that is signed: made of a predicate and the files it is about, or as somebody else made it. */
import type { StatementSubject } from '../../bundle/statement-writer.ts'
import { encodeStatement } from '../../bundle/statement-writer.ts'
import { predicateTypeUri, predicateTypes } from '../../bundle/predicate-type.ts'
import type { Statement } from '../../bundle/statement.ts'
import { parseStatement } from '../../bundle/statement.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { defaultMaxJsonBytes } from '../../encoding/json.ts'
import { CountersignError, UsageError, VerificationError } from '../../error.ts'
import type { Artifact } from '../../verify/artifact.ts'
import { isAboutArtifact } from '../../verify/signature.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { printableLine } from '../quote.ts'
import { readInputFile } from '../verification/input-file.ts'
import { digestBlob, readSubjects } from './attestation-subjects.ts'
import { checkBlobs } from './blob-input.ts'
import { readPiped } from './piped-input.ts'
import type { AttestBlobFlags } from './task.ts'

/**
 * Checks what is to be attested before anything is read.
 * @throws UsageError USAGE
 */
export function checkAttestationInput(flags: AttestBlobFlags, blobs: readonly string[]): void {
  const { predicate, statement, hash } = flags
  if ((predicate === '') === (statement === '')) throw usage('one of --predicate or --statement must be set')
  if (statement === '' && blobs.length === 0) {
    throw usage('requires at least 1 arg(s), only received 0: name the files that the attestation is about')
  }
  if (statement !== '' && hash !== '')
    throw usage('--hash is for a statement that is made here, and --statement names one that is finished')
  if (hash !== '' && blobs.length !== 1)
    throw usage(`--hash is the digest of one file, and ${blobs.length} are named: attest them one at a time`)
  if (inputsFrom(flags, blobs) > 1) throw usage('standard input (-) can be only one of the files, --predicate and --statement')
  if (new Set(blobs).size !== blobs.length) throw usage('one of the blobs is named twice')
  predicateTypeUri(flags.type)
}

const textAdvice =
  'cosign 3 and sigstore-go do not verify an attestation whose predicate is a text: give SPDX as JSON, with --type spdxjson, where they are to verify it'

/** Warns of a predicate that other programs do not take. */
export function warnOfText(context: CommandContext, { predicate, type }: Pick<AttestBlobFlags, 'predicate' | 'type'>): void {
  if (predicate !== '' && type === 'spdx') warn(context, textAdvice)
}

/** @throws UsageError USAGE for a kind of entry that no cosign knows */
export function checkEntryType(context: CommandContext, type: string): void {
  if (type === 'intoto') warn(context, '--rekor-entry-type=intoto has no effect: the attestation is logged as a dsse entry')
  else if (type !== 'dsse') throw usage(`unknown value for rekor-entry-type: expected dsse or intoto, found ${excerpt(type)}`)
}

/** How many things are to be read from standard input. */
export function inputsFrom({ predicate, statement, hash }: AttestBlobFlags, blobs: readonly string[]): number {
  return [predicate, statement, ...(hash === '' ? blobs : [])].filter((name) => name === '-').length
}

/**
 * Reads or makes the statement.
 * @param typeIsGiven whether the user said which type of predicate it is
 * @returns the JSON to sign
 * @throws CountersignError USAGE, FILE_UNREADABLE, ARTIFACT_MISMATCH, PREDICATE_TYPE_MISMATCH and what `encodeStatement` throws
 */
export async function readAttestation(
  context: CommandContext,
  flags: AttestBlobFlags,
  blobs: readonly string[],
  typeIsGiven: boolean,
): Promise<Uint8Array> {
  if (flags.hash === '') checkBlobs(context, blobs)
  if (flags.statement !== '') return readStatement(context, flags, blobs, typeIsGiven)
  const subjects = await readSubjects(context, blobs, flags.hash)
  return statementAbout(context, flags, subjects, await readPredicate(context, flags))
}

/** Reads the predicate. @throws TransportError FILE_UNREADABLE; UsageError USAGE */
export function readPredicate(
  context: CommandContext,
  { predicate, type }: Pick<AttestBlobFlags, 'predicate' | 'type'>,
): Promise<Uint8Array> {
  context.stderr.write(`Using payload from: ${predicate === '-' ? 'standard input' : printableLine(predicate)}\n`)
  return readWhole(context, predicate, 'the predicate', predicateTypeUri(type) === predicateTypes.custom)
}

/** The statement that says a predicate of subjects. @throws what `encodeStatement` throws, with the predicate's file in front */
export function statementAbout(
  context: CommandContext,
  { predicate: file, type: predicateType }: Pick<AttestBlobFlags, 'predicate' | 'type'>,
  subjects: readonly StatementSubject[],
  predicate: Uint8Array,
): Uint8Array {
  warnOfMany(context, subjects.length)
  return inFile(file, 'predicate', () => encodeStatement({ subjects, predicateType, predicate }, context.now()))
}

async function readStatement(
  context: CommandContext,
  flags: AttestBlobFlags,
  blobs: readonly string[],
  typeIsGiven: boolean,
): Promise<Uint8Array> {
  const finished = await readFinishedStatement(context, flags, typeIsGiven)
  for (const blob of blobs) checkSubject(finished, flags.statement, blob, await digestBlob(context, blob, ['sha256', 'sha384', 'sha512']))
  return finished.payload
}

/** A statement that somebody else has made. */
export interface FinishedStatement {
  readonly payload: Uint8Array
  readonly statement: Statement
}

/**
 * Reads the file of `--statement`. It is signed as it is, but not as something else than what the user thinks it is.
 * @throws VerificationError PREDICATE_TYPE_MISMATCH; DecodingError STATEMENT_INVALID, JSON_INVALID; TransportError FILE_UNREADABLE
 */
export async function readFinishedStatement(
  context: CommandContext,
  { statement: file, type }: Pick<AttestBlobFlags, 'statement' | 'type'>,
  typeIsGiven: boolean,
): Promise<FinishedStatement> {
  context.stderr.write(`Using statement from: ${printableLine(file)}\n`)
  const payload = await readWhole(context, file, 'the statement', false)
  const statement = inFile(file, 'statement', () => parseStatement(payload))
  warnOfMany(context, statement.subjects.length)
  if (typeIsGiven && statement.predicateType !== predicateTypeUri(type)) {
    throw new VerificationError(
      'PREDICATE_TYPE_MISMATCH',
      `the statement ${file} has a predicate of the type ${excerpt(statement.predicateType, 200)}, and --type is ${predicateTypeUri(type)}`,
    )
  }
  return { payload, statement }
}

/** @param what what the artifact is called, and `noun` what it is. @throws VerificationError ARTIFACT_MISMATCH */
export function checkSubject({ statement }: FinishedStatement, file: string, what: string, artifact: Artifact, noun = 'file'): void {
  if (isAboutArtifact(statement, artifact)) return
  throw new VerificationError(
    'ARTIFACT_MISMATCH',
    `${what} is not a subject of the statement ${file}: none of its ${statement.subjects.length} subjects has the digest of that ${noun}`,
  )
}

/** More than these are not read by sigstore-go, and so by cosign 3. */
const maxSubjectsElsewhere = 1024

function warnOfMany(context: CommandContext, count: number): void {
  if (count > maxSubjectsElsewhere) {
    warn(
      context,
      `cosign 3 and sigstore-go do not verify a statement of more than ${maxSubjectsElsewhere} subjects, and this one has ${count}: make several where they are to verify it`,
    )
  }
}

function readWhole(context: CommandContext, file: string, what: string, mayBeEmpty: boolean): Promise<Uint8Array> {
  if (file === '-') return readPiped(context, what, defaultMaxJsonBytes)
  return Promise.resolve(readInputFile(context.cwd, file, what, defaultMaxJsonBytes, mayBeEmpty))
}

/** Names the file in what is wrong with it. */
function inFile<T>(file: string, what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'USAGE') throw cause
    throw new CountersignError(cause.code, `invalid ${what} in ${file === '-' ? 'standard input' : file}: ${cause.message}`, { cause })
  }
}

function usage(message: string): UsageError {
  return new UsageError('USAGE', message)
}
