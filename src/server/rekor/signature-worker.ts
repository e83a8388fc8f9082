/** A worker thread that checks signatures. */
import { parentPort } from 'node:worker_threads'
import type { SignatureCheck, SignatureRequest } from './signature-check.ts'
import { checkSignature } from './signature-check.ts'

parentPort?.on('message', ({ id, checks }: SignatureRequest) => {
  void Promise.all(checks.map(answerTo)).then((isValid) => parentPort?.postMessage({ id, isValid }, []))
})

async function answerTo(check: SignatureCheck): Promise<boolean | undefined> {
  try {
    return await checkSignature(check)
  } catch {
    // Whatever it is, it is thrown again in the main thread, where it can be reported.
    return undefined
  }
}
