/** The door to the server's code, which only the verbs of `server` load: the build makes it a program of its own. */
export type ServerProgram = typeof import('../server/program.ts')

/** Loads the server's code. */
export function loadServerProgram(): Promise<ServerProgram> {
  return import('../server/program.ts')
}
