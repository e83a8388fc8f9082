/** Files that only the user may read, whatever the umask: SQLite makes its own by the umask, and its log beside them alike. */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { isMissing } from '../../tuf/bounded-file.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room on it',
  EDQUOT: 'your share of the disk is used up: make room on it',
  EROFS: 'it is on a file system that is read-only: mount it for writing, or name another folder with --data',
  EACCES: 'you may not write there: change the owner of the folder, or name another one with --data',
  EPERM: 'you may not write there: change the owner of the folder, or name another one with --data',
  ENOTDIR: 'a part of its path is a file: name a folder with --data',
  EEXIST: 'there is a file of that name: name a folder with --data',
}

/** Why the operating system does not let us write, and what to do; undefined for codes that have no sentence. */
export function reasonOfRefusal(code: string): string | undefined {
  return reasons[code]
}

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
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
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
