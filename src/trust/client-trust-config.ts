/** Client trust configs (protobuf-specs, ClientTrustConfig): a trusted root and a signing configuration in one file. */
import { excerpt } from '../encoding/bytes.ts'
import { parseJson } from '../encoding/json.ts'
import { JsonFields } from '../encoding/json-fields.ts'
import { signingConfigJson } from './signing-config-writer.ts'
import type { SigningConfig } from './signing-config.ts'
import { readSigningConfig } from './signing-config.ts'
import { trustedRootJson } from './trusted-root-writer.ts'
import type { TrustedRoot } from './trusted-root.ts'
import { readTrustedRoot } from './trusted-root.ts'

/** Everything that a client needs to sign and to verify. */
export interface ClientTrustConfig {
  readonly trustedRoot: TrustedRoot
  readonly signingConfig: SigningConfig
}

const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'
const maxConfigBytes = 5 * 1024 * 1024

/**
 * Parses a client trust config.
 * @throws DecodingError JSON_INVALID, TOO_LARGE; TRUSTED_ROOT_INVALID; SIGNING_CONFIG_INVALID for the signing configuration and
 * the file around both
 */
export function parseClientTrustConfig(input: Uint8Array | string): ClientTrustConfig {
  const json = parseJson(input, 'the client trust config', { maxBytes: maxConfigBytes })
  const config = new JsonFields(json, 'clientTrustConfig', 'SIGNING_CONFIG_INVALID')
  const found = config.string('mediaType')
  if (found !== mediaType) throw config.invalid(`clientTrustConfig.mediaType should be ${mediaType}, found ${excerpt(found, 80)}`)
  config.only('mediaType', 'trustedRoot', 'signingConfig')
  return {
    trustedRoot: readTrustedRoot(config.raw('trustedRoot'), 'clientTrustConfig.trustedRoot'),
    signingConfig: readSigningConfig(config.raw('signingConfig'), 'clientTrustConfig.signingConfig'),
  }
}

/** The client trust config as JSON with an indent. @throws DecodingError as `encodeTrustedRoot` */
export function encodeClientTrustConfig({ trustedRoot, signingConfig }: ClientTrustConfig): string {
  const document = { mediaType, trustedRoot: trustedRootJson(trustedRoot), signingConfig: signingConfigJson(signingConfig) }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
