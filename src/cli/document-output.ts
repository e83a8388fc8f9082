/** A JSON document that a command makes: into the file of `--out`, or printed. */
import type { CommandContext } from './context.ts'
import { checkWritable, writeOutputs } from './signing/output-files.ts'

/** Where the document goes. */
export interface DocumentOutput {
  /** The file; printed when empty. */
  readonly out: string
  /** What it is, for messages: `trusted root`. */
  readonly what: string
}

/** Checks that the document has a place to go to, before it is made. @throws TransportError FILE_UNWRITABLE */
export function checkDocumentOutput(context: CommandContext, { out, what }: DocumentOutput): void {
  if (out !== '') checkWritable(context.cwd, out, what)
}

/** Writes or prints the document. A new file is readable by its owner alone. @throws TransportError FILE_UNWRITABLE */
export function writeDocument(context: CommandContext, { out, what }: DocumentOutput, contents: string | Uint8Array): void {
  if (out === '') context.stdout.write(contents)
  else writeOutputs(context.cwd, [{ path: out, what, contents }])
}
