/** Packages that are not installed with Countersign: the SDKs of places where few users have their keys. */
import { CountersignError, messageOf, UsageError, systemCode } from '../error.ts'

/**
 * Loads such a package.
 * @param name with the version that is asked for: `@kubernetes/client-node@^1.4.0`
 * @param purpose begins the sentence that says it is missing: `k8s:// references`
 * @param load the import, literal, so that a type comes with it
 * @throws UsageError USAGE where it is not installed, or does not run on this Node
 */
export async function loadOptionalPackage<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const isMissing = /^(?:ERR_)?MODULE_NOT_FOUND$/.test(systemCode(cause))
    const found = isMissing ? 'is not installed' : `cannot be loaded (${messageOf(cause).split('\n', 1)[0] ?? ''})`
    throw new UsageError('USAGE', `${purpose} need the package ${nameOf(name)}, which ${found}: install it with npm install ${name}`, {
      cause,
    })
  }
}

function nameOf(specifier: string): string {
  return specifier.slice(0, specifier.indexOf('@', 1))
}
