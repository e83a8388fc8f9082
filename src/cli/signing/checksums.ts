/** A checksums file: one line for each file, as sha256sum writes and checks them. */
import path from 'node:path'
import { createDigest } from '../../crypto/digest.ts'
import { encodeUtf8 } from '../../encoding/bytes.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { openBlob } from './blob-input.ts'

/**
 * The contents of a checksums file.
 * @param file where it will be: names in it are relative to its folder
 * @throws UsageError USAGE for standard input, which has no name; TransportError FILE_UNREADABLE
 */
export async function checksumsOf(context: CommandContext, blobs: readonly string[], file: string): Promise<Uint8Array> {
  if (blobs.includes('-')) throw new UsageError('USAGE', 'standard input has no name that a checksums file could have: write it to a file')
  const folder = path.dirname(path.resolve(context.cwd, file))
  let lines = ''
  for (const blob of blobs) {
    const name = path.relative(folder, path.resolve(context.cwd, blob)).replaceAll(path.sep, '/')
    lines += checksumLine(await sha256Of(context, blob), name)
  }
  return encodeUtf8(lines)
}

async function sha256Of(context: CommandContext, blob: string): Promise<Uint8Array> {
  const state = createDigest('sha256')
  const contents = openBlob(context, blob)
  if (contents instanceof Uint8Array) state.update(contents)
  else for await (const chunk of contents) state.update(chunk)
  return state.finish()
}

/** GNU coreutils marks a line whose name has characters that would end it, and escapes them. */
function checksumLine(sha256: Uint8Array, name: string): string {
  const escaped = name
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)
  return `${escaped === name ? '' : '\\'}${encodeHex(sha256)}  ${escaped}\n`
}
