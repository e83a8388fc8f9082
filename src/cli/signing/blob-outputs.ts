/** Where the signature of a blob goes, and in which of cosign's formats. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { encodeTimestampFile } from '../../bundle/legacy-bundle-writer.ts'
import type { SignedEntity } from '../../bundle/signed-entity.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { NamedFile, OutputFile } from './output-files.ts'
import { checkOutputFiles } from './output-files.ts'
import { bundleFile, certificateFile } from './signature-files.ts'
import type { RecordNeeds } from './signing-steps.ts'

export interface OutputFlags {
  readonly bundle: string
  readonly 'new-bundle-format': boolean
  readonly b64: boolean
  readonly output: string
  readonly 'output-signature': string
  readonly 'output-certificate': string
  readonly 'rfc3161-timestamp': string
  readonly format: string
  readonly checksums: string
  readonly recursive: boolean
}

/** The files to write for one blob; empty names are not written. */
export interface BlobOutputs {
  /** The blob as the user named it. */
  readonly blob: string
  /** Its contents where they are made here: they are signed, and written beside the signature. */
  readonly contents?: Uint8Array
  readonly bundle: string
  readonly signature: string
  readonly certificate: string
  readonly timestamp: string
  /** Whether the signature itself goes to standard output, as in cosign before 3: of several blobs, a line for each. */
  readonly printSignature: boolean
  /** A local bundle of cosign 1 and 2 instead of a Sigstore bundle. */
  readonly isLegacyBundle: boolean
  readonly base64: boolean
}

/** What the choice of services depends on, of one thing that is signed. */
export type RecordOutputs = Pick<BlobOutputs, 'bundle' | 'isLegacyBundle' | 'timestamp'> & Partial<Pick<BlobOutputs, 'printSignature'>>

/**
 * Decides what is written for each blob. One blob without any output has its signature printed; several get a bundle each,
 * beside the blob, or in the folder that --bundle names, and so do the files of folders, also where there is only one. Those beside the blobs are more than cosign 1 and 2 had, whose scripts read what is
 * printed.
 * @throws UsageError USAGE when several blobs would share a file
 */
export function planOutputs(cwd: string, flags: OutputFlags, blobs: readonly string[]): BlobOutputs[] {
  // As in cosign, of both.
  const signature = flags.output || flags['output-signature']
  const shared = [
    [signature, '--output-signature'],
    [flags['output-certificate'], '--output-certificate'],
    [flags['rfc3161-timestamp'], '--rfc3161-timestamp'],
  ].find(([file]) => file !== '')
  if (blobs.length > 1 && shared !== undefined) {
    throw new UsageError(
      'USAGE',
      `${shared[1]} names one file, and ${blobs.length} blobs are signed: leave it out, and each gets a bundle of its own`,
    )
  }
  const isTree = flags.recursive && asksForNothing(flags)
  const bundles = new Set<string>()
  return blobs.map((blob) => {
    const bundle = bundleFor(cwd, flags.bundle, blob, isTree ? undefined : blobs.length)
    if (blobs.length > 1 && bundles.has(path.resolve(cwd, bundle))) {
      throw new UsageError('USAGE', `two of the blobs would have the same bundle ${bundle}: sign them one at a time`)
    }
    bundles.add(path.resolve(cwd, bundle))
    const isLegacyBundle = bundle !== '' && !flags['new-bundle-format']
    return {
      blob,
      bundle,
      signature,
      certificate: flags['output-certificate'],
      timestamp: flags['rfc3161-timestamp'],
      printSignature: signature === '' && (flags.bundle === '' || isLegacyBundle) && flags.format !== 'json',
      isLegacyBundle,
      base64: flags.b64,
    }
  })
}

/** Decides what is written for a checksums file: as for one blob, but that it has a bundle where nothing else is asked for. */
export function planChecksums(cwd: string, flags: OutputFlags, contents: Uint8Array): BlobOutputs[] {
  const file = flags.checksums
  const bundle = asksForNothing(flags) ? `${file}.sigstore.json` : flags.bundle
  return planOutputs(cwd, { ...flags, bundle }, [file]).map((outputs) => ({ ...outputs, contents }))
}

function asksForNothing(flags: OutputFlags): boolean {
  return flags.bundle === '' && flags.output === '' && flags['output-signature'] === ''
}

/** What the files that are written ask of the services. */
export function recordNeeds(outputs: readonly RecordOutputs[]): RecordNeeds {
  return {
    isOldFormat: outputs.some(({ bundle, isLegacyBundle }) => bundle === '' || isLegacyBundle),
    isWithoutBundle: outputs.some(({ bundle }) => bundle === ''),
    keepsTimestamp: outputs.every(({ bundle, isLegacyBundle, timestamp }) => (bundle !== '' && !isLegacyBundle) || timestamp !== ''),
    prefersRekorV1: outputs.some(({ printSignature }) => printSignature === true),
    insteadOfRekorV2: 'without --bundle the signature must be found by searching its log, which only Rekor v1 can, so give --bundle',
  }
}

/**
 * Checks that everything can be written, and that nothing is written over what is read.
 * @param blobs everything that is signed, or whose checksum is
 * @param key the value of `--key`
 * @throws UsageError USAGE; TransportError FILE_UNWRITABLE
 */
export function checkOutputs(cwd: string, outputs: readonly BlobOutputs[], blobs: readonly string[], key: string): void {
  checkOutputFiles(
    cwd,
    outputs.flatMap(({ blob, contents, bundle, signature, certificate, timestamp }) => [
      [contents === undefined ? '' : blob, 'checksums'],
      [bundle, 'bundle'],
      [signature, 'signature'],
      [certificate, 'certificate'],
      [timestamp, 'RFC3161 timestamp'],
    ]),
    [...blobs.map((blob): NamedFile => [blob, 'blob']), [key, 'key']],
  )
}

/** The files of a finished signature. */
export function outputFiles(outputs: BlobOutputs, entity: SignedEntity): OutputFile[] {
  const { blob, contents, bundle, signature, certificate, timestamp, isLegacyBundle, base64 } = outputs
  const files: OutputFile[] = contents === undefined ? [] : [{ path: blob, what: 'checksums', contents, mode: 0o644 }]
  files.push(...bundleFile(bundle, entity, isLegacyBundle))
  if (signature !== '') {
    const bytes = entity.content.signature
    files.push({ path: signature, what: 'signature', contents: base64 ? encodeBase64(bytes) : bytes })
  }
  files.push(...certificateFile(certificate, entity, (pem) => (base64 ? encodeBase64(encodeUtf8(pem)) : pem)))
  const [token] = entity.timestamps
  if (timestamp !== '' && token !== undefined)
    files.push({ path: timestamp, what: 'RFC3161 timestamp', contents: encodeTimestampFile(token) })
  return files
}

/** What is printed of a signature. */
export function printedSignature({ base64 }: BlobOutputs, entity: SignedEntity): string | Uint8Array {
  return base64 ? `${encodeBase64(entity.content.signature)}\n` : entity.content.signature
}

/** @param count of the blobs that are named; undefined for those of folders */
function bundleFor(cwd: string, given: string, blob: string, count: number | undefined): string {
  if (given === '' && count === 1) return ''
  if (given !== '' && !isFolder(cwd, given)) {
    if (count === 1) return given
    throw new UsageError(
      'USAGE',
      `--bundle names the file ${given}, and ${count} blobs are signed: leave it out, and each gets a bundle beside it, or name a folder`,
    )
  }
  if (blob === '-')
    throw new UsageError('USAGE', 'the bundle for standard input needs a file name: give it with --bundle, and sign it alone')
  return given === '' ? `${blob}.sigstore.json` : path.join(given, `${path.basename(blob)}.sigstore.json`)
}

function isFolder(cwd: string, file: string): boolean {
  if (file.endsWith('/')) return true
  try {
    return statSync(path.resolve(cwd, file)).isDirectory()
  } catch {
    // Whether it can be written is looked into next, and said by name.
    return false
  }
}
