/** A worker thread that checks signatures. */
import { parentPort } from 'node:worker_threads'
import type { SignatureAnswer, SignatureRequest } from './signature-check.ts'
import { checkSignature } from './signature-check.ts'

parentPort?.on('message', ({ id, check }: SignatureRequest) => {
  void answerTo(id, check).then((answer) => parentPort?.postMessage(answer, []))
})

async function answerTo(id: number, check: SignatureRequest['check']): Promise<SignatureAnswer> {
  try {
    return { id, isValid: await checkSignature(check) }
  } catch {
    // Whatever it is, it is thrown again in the main thread, where it can be reported.
    return { id, isValid: undefined }
  }
}
