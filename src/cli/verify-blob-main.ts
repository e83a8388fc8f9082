/**
 * The entry of the process whose first word is `verify-blob`: the program without its other verbs, so that their code does not
 * cost time at every check of a file.
 */
import { command } from './commands/verify-blob.ts'
import { programEntry, verifyBlob } from './program-entry.ts'
import { runProgram } from './program.ts'

// Beside this thread there is a signature or two to check, or a chunk to read. Each thread more takes a tenth of a millisecond to begin and end.
process.env['UV_THREADPOOL_SIZE'] ??= '1'
void runProgram(programEntry([{ ...verifyBlob, load: () => Promise.resolve({ command }) }]))
