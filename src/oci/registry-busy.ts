/** A registry that cannot answer now, and may be able to a moment later. */
import { CountersignError } from '../error.ts'

/** Its status is 429 or one of a server's own failures, after the request has been repeated as often as any is. */
export class RegistryBusyError extends CountersignError {
  override name = 'RegistryBusyError'
}
