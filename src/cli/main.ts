/** The entry of the process. */
import { runProgram } from './program.ts'

void runProgram()
