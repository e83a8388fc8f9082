/** The bundles in a file or on standard input: one, or one a line. */
import { claimsToBeLegacyBundle } from '../../bundle/legacy-bundle.ts'
import { concatBytes, decodeUtf8 } from '../../encoding/bytes.ts'
import { defaultMaxJsonBytes, parseJson } from '../../encoding/json.ts'
import { DecodingError, TransportError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from '../verification/input-file.ts'
import type { Attempt } from './attempt.ts'
import { attempt } from './attempt.ts'
import { outlineBundle, resemblesBundle } from './bundle-outline.ts'
import { outlineLocalBundle } from './local-bundle-outline.ts'
import type { BundleOutline } from './outline.ts'

/** What a file holds. */
export interface BundleFile {
  /** What the file is called in messages. */
  readonly name: string
  /** Whether it holds a bundle on each line, as `.sigstore.jsonl` files do. */
  readonly isLines: boolean
  /** At least one. Only that of a line may be malformed. */
  readonly bundles: readonly BundleLine[]
}

/** One bundle of a file. */
export interface BundleLine {
  /** The number of the line, from 1. */
  readonly line: number
  readonly bundle: Attempt<BundleOutline>
}

/** As many as verification takes. */
const maxBundles = 1024

/**
 * Reads the bundles of a file.
 * @param file a path, or `-` for standard input
 * @throws TransportError FILE_UNREADABLE, TOO_LARGE; DecodingError JSON_INVALID, BUNDLE_INVALID for a file that holds no bundle
 */
export async function readBundleFile(context: CommandContext, file: string): Promise<BundleFile> {
  const name = file === '-' ? 'on standard input' : file
  const contents = file === '-' ? await readStandardInput(context) : readInputFile(context.cwd, file, 'the bundle', defaultMaxJsonBytes)
  try {
    const lines = linesOf(contents, file.endsWith('.jsonl'))
    if (lines === undefined) return { name, isLines: false, bundles: [{ line: 1, bundle: { value: parse(contents) } }] }
    return { name, isLines: true, bundles: parseLines(lines) }
  } catch (cause) {
    if (!(cause instanceof DecodingError)) throw cause
    throw new DecodingError(cause.code, `the bundle ${name} cannot be inspected: ${cause.message}`, { cause })
  }
}

async function readStandardInput(context: CommandContext): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of context.stdin.read()) {
    context.signal.throwIfAborted()
    length += chunk.length
    if (length > defaultMaxJsonBytes) {
      throw new TransportError('TOO_LARGE', `the bundle on standard input is longer than the limit of ${defaultMaxJsonBytes} bytes`)
    }
    chunks.push(chunk)
  }
  if (length === 0) throw new TransportError('FILE_UNREADABLE', 'the bundle on standard input is empty')
  return concatBytes(...chunks)
}

/** The lines that hold something, by number, if the file is one of lines: by its name, or because its first two lines are each an object. */
function linesOf(contents: Uint8Array, isNamedSo: boolean): ReadonlyMap<number, string> | undefined {
  const text = attempt(() => decodeUtf8(contents, 'the bundle')).value
  if (text === undefined) return undefined
  const lines = new Map<number, string>()
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '') continue
    if (!isNamedSo && lines.size < 2 && !(trimmed.startsWith('{') && trimmed.endsWith('}'))) return undefined
    if (lines.size === maxBundles) throw new DecodingError('BUNDLE_INVALID', `the file holds more than ${maxBundles} bundles`)
    lines.set(index + 1, trimmed)
  }
  return isNamedSo || lines.size > 1 ? lines : undefined
}

function parseLines(lines: ReadonlyMap<number, string>): BundleLine[] {
  const bundles = Array.from(lines, ([line, text]) => ({ line, bundle: attempt(() => parse(text)) }))
  const [first] = bundles
  if (first === undefined) throw new DecodingError('BUNDLE_INVALID', 'the file holds no bundle')
  if (bundles.every(({ bundle }) => bundle.value === undefined))
    throw new DecodingError('BUNDLE_INVALID', `line ${first.line}: ${first.bundle.problem}`)
  return bundles
}

function parse(contents: Uint8Array | string): BundleOutline {
  const json = parseJson(contents, 'the bundle')
  if (claimsToBeLegacyBundle(json)) return outlineLocalBundle(json)
  if (resemblesBundle(json)) return outlineBundle(json)
  throw new DecodingError(
    'BUNDLE_INVALID',
    'it is neither a Sigstore bundle (no mediaType of one) nor a local bundle of cosign 1 or 2 (no base64Signature)',
  )
}
