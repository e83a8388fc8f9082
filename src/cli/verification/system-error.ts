/** What the operating system says, in words. */
import { messageOf, systemCode } from '../../error.ts'

/** The reason for a message to the user. */
export function reasonOf(error: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of the path is not a directory',
    ELOOP: 'too many symbolic links',
    ENAMETOOLONG: 'the name is too long',
    EMFILE: 'too many open files',
    ENOSPC: 'there is no space left on the disk',
    EDQUOT: 'the quota of the disk is used up',
    EROFS: 'the disk is mounted read-only',
  }
  return reasons[systemCode(error)] ?? messageOf(error)
}
