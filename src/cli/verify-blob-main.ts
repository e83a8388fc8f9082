/**
 * The entry of the process whose first word is `verify-blob`: the program without its other verbs, so that their code does not
 * cost time at every check of a file.
 */
import { command } from './commands/verify-blob.ts'
import { programEntry, verifyBlob } from './program-entry.ts'
import { runProgram } from './program.ts'

void runProgram(programEntry([{ ...verifyBlob, load: () => Promise.resolve({ command }) }]))
