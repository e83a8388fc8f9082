/** The door to the server's code, which only the verbs of `server` load: the build makes it a program of its own. */
import type * as program from '../server/program.ts'

export type ServerProgram = typeof program

/** Loads the server's code. */
export function loadServerProgram(): Promise<ServerProgram> {
  return import('../server/program.ts')
}
