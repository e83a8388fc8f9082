/** The flags of `bundle create` and `bundle upgrade`: names, kinds and defaults are cosign's. */
import { DEFAULT_REKOR_URL, signerKeyFlag } from '../flag-groups.ts'
import type { FlagValues } from '../flags.ts'
import { boolFlag, deprecated, setByCommandLineOnly, stringFlag } from '../flags.ts'

const FILE = { placeholder: 'file', completion: 'file' } as const
const rekorUrl = stringFlag('address of the transparency log', { default: DEFAULT_REKOR_URL, completion: 'none' })

export const bundleCreateFlags = setByCommandLineOnly({
  artifact: stringFlag('what was signed: a file, or - for standard input', { completion: 'file' }),
  attestation: stringFlag('DSSE envelope of an attestation', FILE),
  bundle: stringFlag('local bundle of cosign 1 and 2', FILE),
  certificate: stringFlag('certificate of the signer', FILE),
  'ignore-tlog': boolFlag('do without an entry of a transparency log, for a signature that was never recorded'),
  key: signerKeyFlag,
  out: stringFlag('write the bundle to this file instead of printing it', FILE),
  'rekor-url': deprecated('a later version will take it from a signing config; until then it works', rekorUrl),
  'rfc3161-timestamp': stringFlag('timestamp of the signature', FILE),
  signature: stringFlag('signature, or envelope of an attestation, as it is or in base64', { completion: 'file' }),
  sk: boolFlag('use a hardware security key (PIV)'),
  slot: stringFlag('slot of the security key', {
    default: 'signature',
    completion: ['authentication', 'signature', 'card-authentication', 'key-management'],
  }),
})

export type BundleCreateFlags = FlagValues<typeof bundleCreateFlags>

export const bundleUpgradeFlags = setByCommandLineOnly({
  out: stringFlag('write the bundle to this file instead of printing it', FILE),
  'rekor-url': rekorUrl,
})

export type BundleUpgradeFlags = FlagValues<typeof bundleUpgradeFlags>
