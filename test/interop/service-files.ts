/** What a private Sigstore publishes, in the forms that clients of other times want. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { encodePem } from '../../src/encoding/pem.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'

/**
 * Writes what cosign trusts where it takes no trusted root: for the formats of before bundles.
 * @returns the variables that name the files for a program that runs in the folder
 */
export function writeOldTrust(folder: string, trustedRoot: string): Record<string, string> {
  const { logs, certificateTransparencyLogs, certificateAuthorities, timestampAuthorities } = loadTrustMaterial(trustedRoot)
  const rekor = logs.find(({ key }) => key.kind === 'ecdsa')
  const [[ctLog], [ca], [tsa]] = [certificateTransparencyLogs, certificateAuthorities, timestampAuthorities]
  if (rekor === undefined || ctLog === undefined || ca === undefined || tsa === undefined)
    throw new Error('the trusted root has too little')
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)
  const leaf = tsa.leaf === undefined ? [] : [tsa.leaf]
  write('rekor.pub', encodePublicKeyPem(rekor.key))
  write('ct.pub', encodePublicKeyPem(ctLog.key))
  write('chain.pem', pemOf([...ca.authority.intermediates, ca.authority.anchor]))
  write('tsa.pem', pemOf([...leaf, ...tsa.authority.intermediates, tsa.authority.anchor]))
  return { SIGSTORE_REKOR_PUBLIC_KEY: 'rekor.pub', SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: 'ct.pub', SIGSTORE_ROOT_FILE: 'chain.pem' }
}

const pemOf = (certificates: readonly { readonly bytes: Uint8Array }[]): string =>
  certificates.map(({ bytes }) => encodePem('CERTIFICATE', bytes)).join('')

/** The signing config with the logs of one API. @throws Error where it has none */
export function withLogsOf(signingConfig: string, version: number): string {
  const config = JSON.parse(signingConfig) as { readonly rekorTlogUrls: readonly { readonly majorApiVersion: number }[] }
  const rekorTlogUrls = config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === version)
  if (rekorTlogUrls.length === 0) throw new Error(`the signing config has no log of version ${version}`)
  return JSON.stringify({ ...config, rekorTlogUrls })
}
