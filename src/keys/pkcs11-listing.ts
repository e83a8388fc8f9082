/** What is on PKCS#11 tokens, for who has to write a key reference. */
import { TransportError, UsageError } from '../error.ts'
import { attributeOf, findObjects, listTokens, loadPkcs11, trimPadding, withModule, withSession } from './pkcs11-module.ts'
import type { Token } from './pkcs11-module.ts'
import { attribute, objectClass } from './pkcs11-object.ts'
import { formatPkcs11Uri } from './pkcs11-uri.ts'

export interface ListedToken {
  readonly slotId: number
  readonly label: string
  readonly manufacturer: string
  readonly model: string
  readonly serial: string
}

export interface ListedKey {
  /** Empty where it has none. */
  readonly label: string
  readonly id: Uint8Array
  /** The reference, without a PIN. */
  readonly uri: string
}

const loginRequired = 0x4

/** The tokens that a module finds. @throws as `withModule` */
export async function listPkcs11Tokens(modulePath: string): Promise<ListedToken[]> {
  const pkcs11 = await loadPkcs11()
  return withModule(pkcs11, modulePath, (module) => listTokens(module).map(describeToken))
}

/**
 * The private keys of the token in a slot. Keys that have neither an ID nor a label cannot be named, and are left out.
 * @param pin asked for the token's label where the token shows its private keys only to who signs in
 * @throws TransportError NETWORK_FAILED for an empty slot; otherwise as `withModule`
 */
export async function listPkcs11Keys(
  modulePath: string,
  slotId: number,
  pin: (label: string) => Promise<string | undefined>,
): Promise<ListedKey[]> {
  const pkcs11 = await loadPkcs11()
  const find = (tokens: readonly Token[]): Token => {
    const token = tokens.find((candidate) => candidate.slotId === slotId)
    if (token !== undefined) return token
    const others = tokens.length === 0 ? 'there is none in any slot' : `tokens are in ${tokens.map((other) => other.slotId).join(', ')}`
    throw new TransportError('NETWORK_FAILED', `there is no token in slot ${slotId}: ${others}`)
  }
  const { info } = withModule(pkcs11, modulePath, (module) => find(listTokens(module)))
  const label = trimPadding(info.label)
  const given = (info.flags & loginRequired) === 0 ? undefined : await pin(label)
  if (given === '') throw new UsageError('USAGE', 'the PIN of the token is empty')
  return withModule(pkcs11, modulePath, (module) =>
    withSession(module, find(listTokens(module)), given, (session) =>
      findObjects(session, [{ type: attribute.class, value: objectClass.privateKey }]).flatMap((object) => {
        const id = attributeOf(session, object, attribute.id) ?? new Uint8Array()
        const name = attributeOf(session, object, attribute.label)?.toString('utf8') ?? ''
        if (id.length === 0 && name === '') return []
        const key = { id: id.length === 0 ? undefined : id, label: name === '' ? undefined : name }
        return [{ label: name, id, uri: formatPkcs11Uri({ label, slotId }, key, modulePath) }]
      }),
    ),
  )
}

function describeToken({ slotId, info }: Token): ListedToken {
  return {
    slotId,
    label: trimPadding(info.label),
    manufacturer: trimPadding(info.manufacturerID),
    model: trimPadding(info.model),
    serial: trimPadding(info.serialNumber),
  }
}
