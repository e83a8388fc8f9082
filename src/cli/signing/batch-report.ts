/** What is said while blobs are signed, one or a thousand, and at the end. */
import { CountersignError, messageOf } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { formatJson } from '../inspection/json-text.ts'
import { printableLine } from '../quote.ts'
import { startBatchProgress } from './batch-progress.ts'
import type { BlobOutputs } from './blob-outputs.ts'
import { printedSignature } from './blob-outputs.ts'
import type { OutputFile } from './output-files.ts'
import type { SignedResult } from '../../sign/sign-content.ts'
import { describeSigned, describeUnsigned, signedLines } from './signature-report.ts'
import type { Task } from './task.ts'

/** A blob whose signature is written. */
export interface SignedBlob {
  readonly result: SignedResult
  readonly files: readonly OutputFile[]
}

export interface BatchReport {
  /** Whether the terminal's line is taken. */
  readonly isBar: boolean
  done(output: BlobOutputs, signed: SignedBlob): void
  failed(output: BlobOutputs, error: unknown): void
  /** Says how many were signed where not all were. */
  interrupted(): void
  /** @throws CountersignError in the code of the first failure when there was one */
  finish(): void
}

const namedFailures = 5

/** @param announced the blob that was announced already */
export function createBatchReport({ context, flags }: Task, outputs: readonly BlobOutputs[], announced: string | undefined): BatchReport {
  const { stdout, stderr } = context
  const progress = startBatchProgress(context, outputs.length)
  const failures: { readonly blob: string; readonly error: unknown }[] = []
  let signed = 0
  return {
    isBar: progress.isBar,
    done(output, { result, files }) {
      signed++
      progress.step()
      const payload = output.blob === announced ? '' : announcement(output.blob)
      if (!progress.isBar) stderr.write(`${payload}${signedLines(files, result)}`)
      if (output.printSignature) stdout.write(printedSignature(output, result.entity))
      if (flags.format === 'json') stdout.write(`${formatJson(describeSigned(output.blob, files, result))}\n`)
    },
    failed({ blob }, error) {
      failures.push({ blob, error })
      progress.stop()
      stderr.write(`Not signed: ${printableLine(messageOf(error))}\n`)
      if (flags.format === 'json') stdout.write(`${formatJson(describeUnsigned(blob, error))}\n`)
    },
    interrupted() {
      progress.stop()
      if (outputs.length > 1) stderr.write(`${signed} of ${outputs.length} blobs are signed, the others are not\n`)
    },
    finish() {
      progress.stop()
      if (progress.isBar) stderr.write(`Signed ${signed} of ${outputs.length} blobs\n`)
      const [first] = failures
      if (first === undefined) return
      const names = failures.slice(0, namedFailures).map(({ blob }) => excerpt(blob, 100))
      const more = failures.length > namedFailures ? ` and ${failures.length - namedFailures} more` : ''
      const code = first.error instanceof CountersignError ? first.error.code : 'FILE_UNREADABLE'
      throw new CountersignError(code, `${failures.length} of ${outputs.length} blobs are not signed: ${names.join(', ')}${more}`)
    },
  }
}

/** cosign prints it for files, not for standard input. */
export function announcement(blob: string): string {
  return blob === '-' ? '' : `Using payload from: ${printableLine(blob)}\n`
}
