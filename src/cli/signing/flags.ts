/**
 * The flags of the verbs that sign files, and what those have in common that sign anything. Names, shorthands, kinds, defaults and notices are cosign's, from 1.13 to 3.1;
 * where the versions differ, the newest wins.
 */
import { ephemeralKeyKinds } from '../../sign/signing-algorithm.ts'
import { DEFAULT_REKOR_URL, PREDICATE_TYPES, registryFlags, securityKeyFlags } from '../flag-groups.ts'
import { boolFlag, choiceFlag, deprecated, ignored, stringFlag } from '../flags.ts'

const FILE = { placeholder: 'file', completion: 'file' } as const
const TEXT = { completion: 'none' } as const
const inSigningConfig = (what: string, verb = 'signing-config'): string =>
  `please use a signing config to specify ${what}; see \`countersign ${verb} --help\``
const bundleAdvice = 'please use --bundle to provide the output bundle location, which will include'

/** The public instance's certificate authority and issuer, the defaults of `--fulcio-url` and `--oidc-issuer`. */
const DEFAULT_FULCIO_URL = 'https://fulcio.sigstore.dev'
const DEFAULT_OIDC_ISSUER = 'https://oauth2.sigstore.dev/auth'

/** Who signs, for a signature without a key of one's own. */
export const identityFlags = {
  'fulcio-auth-flow': stringFlag('how to sign in: normal (in the browser), device, client_credentials or token', {
    completion: ['normal', 'device', 'client_credentials', 'token'],
  }),
  'fulcio-url': deprecated(
    inSigningConfig('a fulcio url'),
    stringFlag('address of the certificate authority', { default: DEFAULT_FULCIO_URL, completion: 'none' }),
  ),
  'identity-token': stringFlag('identity token to get the certificate with, or the file that holds it', FILE),
  'insecure-skip-verify': deprecated(
    'what was signed is verified in any case; a certificate without an SCT is accepted with it',
    boolFlag('accept a certificate that no certificate transparency log has promised to publish'),
  ),
  'oidc-client-id': stringFlag('client to sign in as', { default: 'sigstore', completion: 'none' }),
  'oidc-client-secret-file': stringFlag('file with the secret of that client', FILE),
  'oidc-disable-ambient-providers': boolFlag('sign in even where a CI system or a cloud offers an identity token'),
  'oidc-issuer': deprecated(
    inSigningConfig('an OIDC issuer', 'signing-config create'),
    stringFlag('address of the OIDC issuer to sign in with', { default: DEFAULT_OIDC_ISSUER, completion: 'none' }),
  ),
  'oidc-provider': stringFlag('where to get the ambient identity token, instead of the first place that offers one', {
    completion: [
      'buildkite-agent',
      'circleci',
      'envvar',
      'filesystem',
      'github-actions',
      'google',
      'google-impersonate',
      'google-workload-identity',
      'spiffe',
    ],
  }),
  'oidc-redirect-url': stringFlag('where the browser comes back to after the sign-in (http://localhost:0/auth/callback by default)', TEXT),
}

/** Which services record the signature. */
export const witnessFlags = {
  'rekor-url': deprecated(
    inSigningConfig('a rekor url'),
    stringFlag('address of the transparency log', { default: DEFAULT_REKOR_URL, completion: 'none' }),
  ),
  'signing-config': stringFlag('sign with the services of this SigningConfig JSON file', FILE),
  'timestamp-client-cacert': stringFlag('certificate authorities of the timestamp authority connection, in PEM', FILE),
  'timestamp-client-cert': stringFlag('certificate to authenticate to the timestamp authority with, in PEM', FILE),
  'timestamp-client-key': stringFlag('private key of that certificate, in PEM', FILE),
  'timestamp-server-name': stringFlag('name that the certificate of the timestamp authority connection must have', TEXT),
  'timestamp-server-url': deprecated(
    inSigningConfig('a timestamp server url'),
    stringFlag('address of the timestamp authority, with its path: https://tsa.example.com/api/v1/timestamp', TEXT),
  ),
  'tlog-upload': deprecated(
    'prefer using a --signing-config file with no transparency log services',
    boolFlag('record the signature in the transparency log', { default: true }),
  ),
  'trusted-root': stringFlag('verify what was signed against this TrustedRoot JSON file', FILE),
  'use-signing-config': boolFlag('sign with the services of the SigningConfig that TUF distributes', { default: true }),
}

const noRegistry = 'files are signed without a registry, so it has no effect'

/** What all verbs that sign have in common. */
export const signingFlags = {
  ...securityKeyFlags,
  ...identityFlags,
  ...witnessFlags,
  bundle: stringFlag('write the signature and everything that proves it to this file', FILE),
  certificate: stringFlag('certificate of the key that is given with --key, to put into the bundle', FILE),
  'certificate-chain': stringFlag('certificate authorities in PEM, from the issuer of that certificate to the root', FILE),
  format: choiceFlag(['text', 'json'], 'what is printed about the signature', { shorthand: 'o', default: 'text' }),
  'issue-certificate': deprecated(
    'support for this flag will be removed in the future',
    boolFlag('get a certificate for the key that was given'),
  ),
  key: stringFlag('private key to sign with: a file, a URL, env://NAME, or a reference to a KMS, a Kubernetes secret or a token', {
    completion: 'file',
  }),
  'new-bundle-format': deprecated(
    'this will be the only supported format in future versions',
    boolFlag('write a Sigstore bundle rather than the local bundle of cosign 1 and 2', { default: true }),
  ),
  'signing-algorithm': stringFlag(`kind of the key that is made for the signature: ${Object.keys(ephemeralKeyKinds).join(', ')}`, {
    default: 'ecdsa-sha2-256-nistp256',
    completion: Object.keys(ephemeralKeyKinds),
  }),
  yes: boolFlag('do not ask before the signature is recorded in a public log', { shorthand: 'y' }),
}

/** The files of before bundles. */
export const oldOutputFlags = {
  'output-certificate': deprecated(`${bundleAdvice} the certificate`, stringFlag('write the certificate to this file', FILE)),
  'output-signature': deprecated(`${bundleAdvice} the signature`, stringFlag('write the signature to this file', FILE)),
}

/** All flags of `sign-blob`. */
export const signBlobFlags = {
  ...signingFlags,
  ...oldOutputFlags,
  // Of cosign 1.13, which had no use for them here.
  'allow-http-registry': ignored(deprecated(noRegistry, registryFlags['allow-http-registry'])),
  'allow-insecure-registry': ignored(deprecated(noRegistry, registryFlags['allow-insecure-registry'])),
  'attachment-tag-prefix': ignored(deprecated(noRegistry, registryFlags['attachment-tag-prefix'])),
  'k8s-keychain': ignored(deprecated(noRegistry, registryFlags['k8s-keychain'])),
  b64: deprecated(
    'please use --bundle, which already base64 encodes content as appropriate',
    boolFlag('encode signature and certificate in base64', { default: true }),
  ),
  checksums: stringFlag('write the SHA-256 checksums of all files to this file, and sign that instead of each', FILE),
  output: deprecated(`${bundleAdvice} the signature`, stringFlag('write the signature to this file', FILE)),
  recursive: boolFlag('sign the files in folders, too: all but links, hidden files and bundles', { shorthand: 'r' }),
  'rfc3161-timestamp': deprecated(`${bundleAdvice} the signed timestamp`, stringFlag('write the timestamp to this file', FILE)),
}

/** All flags of `attest-blob`. */
export const attestBlobFlags = {
  ...signingFlags,
  ...oldOutputFlags,
  hash: stringFlag('digest of BLOB in hexadecimal, for a file that is not here: of sha256, or by its length of sha384 or sha512', TEXT),
  'output-attestation': deprecated(`${bundleAdvice} the attestation`, stringFlag('write the in-toto statement to this file', FILE)),
  predicate: stringFlag('what is said about the files: a file, or - for standard input', FILE),
  'rekor-entry-type': deprecated(
    'support for this flag will be removed in the future. it is strongly discouraged to rely on Rekor for attestation storage, and in future releases of Rekor, this functionality will be removed.',
    stringFlag('kind of the entry in the transparency log', { default: 'dsse', completion: ['dsse', 'intoto'] }),
  ),
  'rfc3161-timestamp-bundle': deprecated(`${bundleAdvice} the signed timestamp`, stringFlag('write the timestamp to this file', FILE)),
  statement: stringFlag('sign this in-toto statement as it is: a file, or - for standard input', FILE),
  type: stringFlag(`type of the predicate, as a URI or one of ${PREDICATE_TYPES.join(', ')}`, {
    default: 'custom',
    completion: PREDICATE_TYPES,
  }),
}
