/**
 * PKCS#11 modules: loaded, asked and left within one call, so that nothing of them stays behind. Their functions wait, and everything
 * waits with them: for a token that wants to be touched, too. `KeyStoreOptions.whileWaiting` is for those who would rather end it.
 */
import type * as pkcs11js from 'pkcs11js'
import type { Attribute, PKCS11, TokenInfo } from 'pkcs11js'
import { CountersignError, messageOf, TransportError } from '../error.ts'
import { loadOptionalPackage } from './optional-package.ts'
import type { TokenNames } from './pkcs11-uri.ts'

export type Pkcs11Package = typeof pkcs11js

/** A token in a slot. */
export interface Token {
  readonly slot: Buffer
  readonly slotId: number
  readonly info: TokenInfo
}

/** A session with a token, for the time of one call. */
export interface TokenSession {
  readonly module: PKCS11
  readonly handle: Buffer
}

// PKCS#11 v3.0, pkcs11t.h
const serialSession = 0x4
const userType = 1
const alreadyInitialised = 'CKR_CRYPTOKI_ALREADY_INITIALIZED'
const unreachable: ReadonlySet<string> = new Set([
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_REMOVED',
  'CKR_SLOT_ID_INVALID',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_TOKEN_NOT_RECOGNIZED',
])
const objectsPerCall = 32
const maxObjects = 1024

/** @throws UsageError USAGE when the package that loads modules is not installed */
export function loadPkcs11(): Promise<Pkcs11Package> {
  return loadOptionalPackage('pkcs11js@^2.1.7', 'pkcs11: references', async () => {
    const loaded: Pkcs11Package & { readonly default?: Pkcs11Package } = await import('pkcs11js')
    // A CommonJS package whose exports are made at run time: seen from an ES module, they are its default.
    return loaded.default ?? loaded
  })
}

/**
 * Loads a module for the time of a call.
 * @throws TransportError FILE_UNREADABLE for what is no module, NETWORK_FAILED for a token that is gone; CountersignError
 *   SERVICE_REFUSED for what the module refuses
 */
export function withModule<T>({ PKCS11 }: Pkcs11Package, modulePath: string, use: (module: PKCS11) => T): T {
  const module = new PKCS11()
  try {
    module.load(modulePath)
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `the PKCS#11 module ${modulePath} cannot be loaded: ${messageOf(cause).slice(0, 200)}`, {
      cause,
    })
  }
  try {
    return initialised(module, use)
  } catch (cause) {
    throw explain(cause)
  } finally {
    module.close()
  }
}

function initialised<T>(module: PKCS11, use: (module: PKCS11) => T): T {
  let isOurs = true
  try {
    module.C_Initialize()
  } catch (error) {
    if (reasonOf(error) !== alreadyInitialised) throw error
    isOurs = false
  }
  try {
    return use(module)
  } finally {
    if (isOurs) module.C_Finalize()
  }
}

/** The tokens that there are. */
export function listTokens(module: PKCS11): Token[] {
  return module.C_GetSlotList(true).flatMap((slot) => {
    try {
      return [{ slot, slotId: numberOf(slot), info: module.C_GetTokenInfo(slot) }]
    } catch {
      // Taken out just now, or not initialised.
      return []
    }
  })
}

/** @throws TransportError NETWORK_FAILED where there is no such token, CountersignError SERVICE_REFUSED where there are several */
export function findToken(module: PKCS11, names: TokenNames, name: string): Token {
  const found = listTokens(module).filter(
    ({ slotId, info }) =>
      fits(names.label, info.label) &&
      fits(names.manufacturer, info.manufacturerID) &&
      fits(names.model, info.model) &&
      fits(names.serial, info.serialNumber) &&
      (names.slotId === undefined || names.slotId === slotId),
  )
  const [token] = found
  if (token === undefined)
    throw new TransportError(
      'NETWORK_FAILED',
      `could not find the token of ${name}: plug it in, or list those that are there with pkcs11-tool list-tokens`,
    )
  if (found.length > 1)
    throw new CountersignError('SERVICE_REFUSED', `${found.length} tokens are called as in ${name}: say which with slot-id or serial`)
  return token
}

/** Names of tokens are padded with blanks (PKCS#11, CK_TOKEN_INFO). */
export function trimPadding(text: string): string {
  return text.replace(/[ \0]+$/, '')
}

function fits(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === trimPadding(found)
}

/** Opens a session, signed in where there is a PIN. */
export function withSession<T>(module: PKCS11, { slot }: Token, pin: string | undefined, use: (session: TokenSession) => T): T {
  const handle = module.C_OpenSession(slot, serialSession)
  try {
    if (pin !== undefined) signIn(module, handle, pin)
    return use({ module, handle })
  } finally {
    module.C_CloseSession(handle)
  }
}

function signIn(module: PKCS11, handle: Buffer, pin: string): void {
  try {
    module.C_Login(handle, userType, pin)
  } catch (error) {
    if (reasonOf(error) !== 'CKR_USER_ALREADY_LOGGED_IN') throw error
  }
}

/** The objects with these attributes, 1024 at most. */
export function findObjects({ module, handle }: TokenSession, attributes: readonly Attribute[]): Buffer[] {
  module.C_FindObjectsInit(handle, attributes)
  try {
    const objects: Buffer[] = []
    while (objects.length < maxObjects) {
      const more = module.C_FindObjects(handle, objectsPerCall)
      if (more.length === 0) break
      objects.push(...more)
    }
    return objects
  } finally {
    module.C_FindObjectsFinal(handle)
  }
}

/** The value of an attribute; undefined where the object has none that may be read. */
export function attributeOf({ module, handle }: TokenSession, object: Buffer, type: number): Buffer | undefined {
  try {
    const value = module.C_GetAttributeValue(handle, object, [{ type }])[0]?.value
    return value === undefined || value.length === 0 ? undefined : value
  } catch {
    return undefined
  }
}

/** A CK_ULONG, as handles and numbers are: in the byte order of the machine, which is little-endian wherever this runs. */
export function numberOf(value: Buffer): number {
  return value.readUIntLE(0, Math.min(value.length, 6))
}

function explain(error: unknown): unknown {
  const reason = reasonOf(error)
  if (error instanceof CountersignError || reason === undefined) return error
  if (unreachable.has(reason))
    return new TransportError('NETWORK_FAILED', `the PKCS#11 token is out of reach (${reason})`, { cause: error })
  const message = reason.startsWith('CKR_PIN')
    ? `the PKCS#11 token refused the PIN (${reason}): it is not tried again, as tokens lock after a few wrong ones`
    : `the PKCS#11 token refused (${reason})`
  return new CountersignError('SERVICE_REFUSED', message, { cause: error })
}

function reasonOf(error: unknown): string | undefined {
  return /CKR_[A-Z0-9_]+/.exec(messageOf(error))?.[0]
}
