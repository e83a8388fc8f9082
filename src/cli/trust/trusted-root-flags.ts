/** The flags of `trusted-root create`: names, kinds and defaults are cosign's. */
import type { FlagValues } from '../flags.ts'
import { boolFlag, deprecated, setByCommandLineOnly, stringArrayFlag, stringFlag } from '../flags.ts'

const SPEC = { placeholder: 'key=value,...', completion: 'none' } as const
const FILE = { placeholder: 'file', completion: 'file' } as const
const TEXT = { completion: 'none' } as const

const authorityKeys = 'url and certificate-chain (a PEM file), perhaps start-time and end-time'
const logKeys = 'url, public-key (a PEM file) and start-time, perhaps end-time and origin'

export const trustedRootFlags = setByCommandLineOnly({
  'certificate-chain': deprecated('use --fulcio instead', stringArrayFlag('certificates of a certificate authority in PEM', FILE)),
  ctfe: stringArrayFlag(`a certificate transparency log: ${logKeys}`, SPEC),
  'ctfe-end-time': deprecated('use --ctfe instead', stringArrayFlag('until when the key of a CT log was used', TEXT)),
  'ctfe-key': deprecated('use --ctfe instead', stringArrayFlag('public key of a CT log in PEM', FILE)),
  'ctfe-start-time': deprecated('use --ctfe instead', stringArrayFlag('since when the key of a CT log was used', TEXT)),
  'ctfe-url': deprecated('use --ctfe instead', stringArrayFlag('address of a CT log', TEXT)),
  fulcio: stringArrayFlag(`a certificate authority: ${authorityKeys}`, SPEC),
  'fulcio-uri': deprecated('use --fulcio instead', stringArrayFlag('address of a certificate authority', TEXT)),
  'no-default-ctfe': boolFlag('leave the CT logs of the default services out'),
  'no-default-fulcio': boolFlag('leave the certificate authorities of the default services out'),
  'no-default-rekor': boolFlag('leave the transparency logs of the default services out'),
  'no-default-tsa': boolFlag('leave the timestamp authorities of the default services out'),
  out: stringFlag('write the trusted root to this file instead of printing it', FILE),
  rekor: stringArrayFlag(`a transparency log: ${logKeys}; origin makes it one of Rekor v2`, SPEC),
  'rekor-end-time': deprecated('use --rekor instead', stringArrayFlag('until when the key of a transparency log was used', TEXT)),
  'rekor-key': deprecated(
    'use --rekor instead',
    stringArrayFlag('public key of a transparency log in PEM; for Rekor v2 with a comma and its host name behind it', FILE),
  ),
  'rekor-start-time': deprecated('use --rekor instead', stringArrayFlag('since when the key of a transparency log was used', TEXT)),
  'rekor-url': deprecated('use --rekor instead', stringArrayFlag('address of a transparency log', TEXT)),
  'timestamp-certificate-chain': deprecated('use --tsa instead', stringArrayFlag('certificates of a timestamp authority in PEM', FILE)),
  'timestamp-uri': deprecated('use --tsa instead', stringArrayFlag('address of a timestamp authority', TEXT)),
  tsa: stringArrayFlag(`a timestamp authority: ${authorityKeys}`, SPEC),
  'with-default-services': boolFlag('begin with the trusted root that TUF distributes'),
})

export type TrustedRootFlags = FlagValues<typeof trustedRootFlags>
