/** The flags of every verb about tokens, and the library that they name. */
import path from 'node:path'
import { UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { boolFlag, ignored, stringFlag } from '../flags.ts'

export const tokenFlags = {
  'module-path': stringFlag('absolute path of the PKCS#11 library (that of COSIGN_PKCS11_MODULE_PATH when empty)', {
    placeholder: 'file',
    completion: 'file',
  }),
  'no-input': ignored(boolFlag('skip warnings and confirmations', { shorthand: 'f' })),
}

/** @throws UsageError USAGE */
export function modulePathOf(context: CommandContext, flag: string): string {
  const modulePath = flag === '' ? (context.env['COSIGN_PKCS11_MODULE_PATH'] ?? '') : flag
  if (modulePath === '') throw new UsageError('USAGE', 'please specify --module-path or set COSIGN_PKCS11_MODULE_PATH')
  if (path.isAbsolute(modulePath)) return modulePath
  throw new UsageError(
    'USAGE',
    `expected the absolute path of a PKCS#11 library in --module-path, found ${JSON.stringify(modulePath.slice(0, 100))}`,
  )
}
