/** Files that only the user may read, whatever the umask: SQLite makes its own by the umask, and its log beside them alike. */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { isMissing, systemCode } from '../../error.ts'

/**
 * Makes a file where there is none, and takes it away from others where there is one.
 * @throws Node's own errors
 */
export function createPrivateFile(file: string): void {
  const mode = modeOf(file)
  // An existing file is not opened: closing it would end SQLite's locks on it in this process.
  if (mode === undefined) makeFile(file)
  else if (process.platform !== 'win32' && (mode & 0o077) !== 0) chmodSync(file, 0o600)
}

function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    // Somebody else was faster, and made it for their own use just so.
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
