/** The entry of the process whose first word is `sign-blob`: as `verify-blob-main.ts`, for signing. */
import { command } from './commands/sign-blob.ts'
import { programEntry, signBlob } from './program-entry.ts'
import { runProgram } from './program.ts'

void runProgram(programEntry([{ ...signBlob, load: () => Promise.resolve({ command }) }]))
