/** Where the files of the server's worker threads are: Node 20 starts no TypeScript, so the build makes them (scripts/workers.ts). */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CountersignError } from '../error.ts'

/** From `src/server` and `dist/lib/server` it is two or three folders up to the package's own. */
const maxFoldersUp = 4

/**
 * The file of a worker, for `new Worker`: the same one whether this runs from source, from the library or from the bundled program.
 * @param name as in scripts/workers.ts
 * @throws CountersignError FILE_UNREADABLE when it was not built
 */
export function workerFile(name: string): string {
  let folder = thisFolder()
  for (let up = 0; up <= maxFoldersUp; up++) {
    const file = path.join(folder, 'dist', 'server', `${name}.js`)
    if (existsSync(file)) return file
    folder = path.dirname(folder)
  }
  throw new CountersignError(
    'FILE_UNREADABLE',
    `the part dist/server/${name}.js of the program is missing: install it anew, or run "npm run build"`,
  )
}

/** The bundled program is CommonJS, everything else is not. */
function thisFolder(): string {
  return typeof __dirname === 'string' ? __dirname : path.dirname(fileURLToPath(import.meta.url))
}
