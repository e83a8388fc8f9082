/** The entry of the process. */
import { runProgram } from './program.ts'
import { rootEntry } from './root.ts'

void runProgram(rootEntry)
