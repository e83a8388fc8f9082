/** A file that was named on the command line and cannot be read. */
import { TransportError } from '../../error.ts'
import { reasonOf } from '../verification/system-error.ts'

/** Says which file, and why. */
export class FileError extends TransportError {
  override name = 'FileError'

  constructor(file: string, cause: unknown) {
    super('FILE_UNREADABLE', `${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
