/** The flags of `signing-config create`: names, kinds and defaults are cosign's. */
import type { FlagValues } from '../flags.ts'
import { boolFlag, setByCommandLineOnly, stringArrayFlag, stringFlag } from '../flags.ts'

const SPEC = { placeholder: 'key=value,...', completion: 'none' } as const
const FILE = { placeholder: 'file', completion: 'file' } as const
const SELECTION = { completion: ['ANY', 'ALL', 'EXACT:1'] } as const

const keys = 'url, api-version, start-time and operator, perhaps end-time'

export const signingConfigFlags = setByCommandLineOnly({
  'base-config': stringFlag('begin with this signing config', FILE),
  fulcio: stringArrayFlag(`a certificate authority: ${keys}`, SPEC),
  'no-default-fulcio': boolFlag('leave the certificate authorities of the default services and the base config out'),
  'no-default-oidc': boolFlag('leave the OIDC issuers of the default services and the base config out'),
  'no-default-rekor': boolFlag('leave the transparency logs of the default services and the base config out'),
  'no-default-tsa': boolFlag('leave the timestamp authorities of the default services and the base config out'),
  'oidc-provider': stringArrayFlag(`an OIDC issuer: ${keys}`, SPEC),
  out: stringFlag('write the signing config to this file instead of printing it', FILE),
  rekor: stringArrayFlag(`a transparency log: ${keys}; needs --rekor-config`, SPEC),
  'rekor-config': stringFlag('how many of the transparency logs are used: ANY, ALL or EXACT:<count>', SELECTION),
  tsa: stringArrayFlag(`a timestamp authority, by full address: ${keys}; needs --tsa-config`, SPEC),
  'tsa-config': stringFlag('how many of the timestamp authorities are used: ANY, ALL or EXACT:<count>', SELECTION),
  'with-default-rekor-v2': boolFlag('begin with the signing config for Rekor v2 that TUF distributes'),
  'with-default-services': boolFlag('begin with the signing config that TUF distributes'),
})

export type SigningConfigFlags = FlagValues<typeof signingConfigFlags>
