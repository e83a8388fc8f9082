/** The entry of the process whose first word is `verify`: as `verify-blob-main.ts`, for images. */
import { command } from './commands/verify.ts'
import { programEntry, verifyImage } from './program-entry.ts'
import { runProgram } from './program.ts'

void runProgram(programEntry([{ ...verifyImage, load: () => Promise.resolve({ command }) }]))
