/**
 * The entry of the process whose first word is `verify-blob`: the program without its other verbs, so that their code does not
 * cost time at every check of a file.
 */
import { programEntry, verifyBlobEntry } from './program-entry.ts'
import { runProgram } from './program.ts'

void runProgram(programEntry([verifyBlobEntry]))
