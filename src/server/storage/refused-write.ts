/** Why the operating system does not let a server write, in words. */

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room on it',
  EDQUOT: 'your share of the disk is used up: make room on it',
  EROFS: 'it is on a file system that is read-only: mount it for writing, or name another folder with --data',
  EACCES: 'you may not write there: change the owner of the folder, or name another one with --data',
  EPERM: 'you may not write there: change the owner of the folder, or name another one with --data',
  ENOTDIR: 'a part of its path is a file: name a folder with --data',
  EEXIST: 'there is a file of that name: name a folder with --data',
}

/** The reason for a code, such as `ENOSPC`, and what to do; undefined for codes that have no sentence. */
export function reasonOfRefusedWrite(code: string): string | undefined {
  return reasons[code]
}
