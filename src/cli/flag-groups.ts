/**
 * The flags that several verbs share, and the complete tables of the verbs that verify files. Names, shorthands, kinds and
 * defaults are cosign's, from 1.13 to 3.1; where the versions differ, the newest wins. Flags that cosign has dropped still
 * parse.
 */
import type { FlagGroup } from './flag-rules.ts'
import { boolFlag, choiceFlag, deprecated, ignored, intFlag, standIn, stringFlag } from './flags.ts'

const CERTIFICATE_FILE = { placeholder: 'file', completion: 'file' } as const
const TEXT = { completion: 'none' } as const

/** The public instance's transparency log, the default of `--rekor-url`. */
export const DEFAULT_REKOR_URL = 'https://rekor.sigstore.dev'

/** A key in hardware: `--sk`, `--slot`. */
export const securityKeyFlags = {
  sk: boolFlag('use a hardware security key (PIV)'),
  slot: stringFlag('slot of the security key (the signature slot when empty)', {
    completion: ['authentication', 'signature', 'card-authentication', 'key-management'],
  }),
}

/** Why `--sk` is refused, by every verb that has it. */
export const securityKeyRefusal =
  "hardware tokens (--sk) are not supported: name the key through the token's PKCS#11 module, such as ykcs11, with --key pkcs11:…"

/** What every verb that verifies accepts. */
export const verificationFlags = {
  'allow-certificate-chain': boolFlag('accept a bundle of version 0.3 that holds a certificate chain instead of one certificate'),
  'experimental-oci11': deprecated(
    'OCI referrers will be the default behavior in future versions',
    boolFlag('look for signatures among the OCI 1.1 referrers of an image'),
  ),
  'insecure-ignore-tlog': boolFlag('accept a signature that no transparency log has recorded. Nobody can then notice that it was made'),
  'max-workers': intFlag('how many signatures are verified at the same time', { default: 10 }),
  'new-bundle-format': deprecated(
    'this will be the only supported format in future versions',
    boolFlag('expect a Sigstore bundle; the format is recognised in any case', { default: true }),
  ),
  offline: deprecated(
    'To verify in an airgapped environment, provide a --bundle with the signature and verification material, and a --trusted-root file with the service keys and certificates',
    boolFlag('do not ask the transparency log for a proof that was not provided'),
  ),
  'private-infrastructure': deprecated(
    'please use --insecure-ignore-tlog instead',
    boolFlag('accept a signature that no transparency log has recorded, without a warning'),
  ),
  'rekor-url': deprecated(
    'please use --bundle, which includes the Rekor inclusion proof',
    stringFlag('address of the transparency log', { default: DEFAULT_REKOR_URL, completion: 'none' }),
  ),
  'signature-digest-algorithm': deprecated(
    'please use --bundle, which already includes the digest algorithm',
    stringFlag('digest algorithm of the signature', {
      default: 'sha256',
      completion: ['sha224', 'sha256', 'sha384', 'sha512'],
    }),
  ),
  'timestamp-certificate-chain': deprecated(
    'please use --trusted-root to provide the timestamp authority certificate chain',
    stringFlag('certificates of the timestamp authority in PEM, with the root', CERTIFICATE_FILE),
  ),
  'trusted-root': stringFlag(
    'trust the authorities and logs in this TrustedRoot JSON file (of several, one a line, each by itself) instead of the public instance',
    {
      placeholder: 'file',
      completion: 'file',
    },
  ),
  'use-signed-timestamps': boolFlag('require a timestamp by a timestamp authority (RFC 3161)'),
}

/** Whose certificate is accepted. */
export const certificateFlags = {
  'ca-intermediates': deprecated(
    'please use --trusted-root to provide CA certificates',
    stringFlag('intermediate certificate authorities in PEM, for use with --ca-roots', CERTIFICATE_FILE),
  ),
  'ca-roots': deprecated(
    'please use --trusted-root to provide CA certificates',
    stringFlag('root certificate authorities in PEM', CERTIFICATE_FILE),
  ),
  certificate: deprecated(
    'please use --bundle with --trusted-root to provide the public certificate',
    stringFlag('certificate of the signer', CERTIFICATE_FILE),
  ),
  'certificate-chain': deprecated(
    'please use --trusted-root to provide the certificate chain',
    stringFlag('certificate authorities in PEM, from the issuer of the certificate to the root', CERTIFICATE_FILE),
  ),
  'certificate-github-workflow-name': stringFlag('name of the GitHub workflow that signed', TEXT),
  'certificate-github-workflow-ref': stringFlag('git ref that the GitHub workflow ran on', TEXT),
  'certificate-github-workflow-repository': stringFlag('repository that the GitHub workflow ran in, as owner/name', TEXT),
  'certificate-github-workflow-sha': stringFlag('commit that the GitHub workflow ran on', TEXT),
  'certificate-github-workflow-trigger': stringFlag('event that started the GitHub workflow', TEXT),
  'certificate-identity': stringFlag(
    'who must have signed: the e-mail address, URI or DNS name in the certificate. This or --certificate-identity-regexp is needed unless a key is given',
    TEXT,
  ),
  'certificate-identity-regexp': stringFlag(
    'regular expression for the identity, in the syntax of RE2. It may match any part: write ^ and $ to match all of it',
    TEXT,
  ),
  'certificate-oidc-issuer': stringFlag(
    'who must have vouched for the identity, such as https://token.actions.githubusercontent.com. This or --certificate-oidc-issuer-regexp is needed unless a key is given',
    TEXT,
  ),
  'certificate-oidc-issuer-regexp': stringFlag('regular expression for the issuer of the identity, in the syntax of RE2', TEXT),
  'insecure-ignore-sct': boolFlag('accept a certificate without proof that it was published in a certificate transparency log'),
  sct: deprecated(
    'a Signed Certificate Timestamp is now provided via a Sigstore bundle',
    stringFlag('certificate timestamp that is not embedded in the certificate', { placeholder: 'file', completion: 'file' }),
  ),
  // Gone from cosign since 2.0.
  'certificate-email': standIn(
    { flag: 'certificate-identity' },
    deprecated('please use --certificate-identity instead', stringFlag('e-mail address in the certificate', TEXT)),
  ),
  // Without an effect when it is false: an old way to ask for less than today's default must not lower it.
  'enforce-sct': standIn(
    { flag: 'insecure-ignore-sct', values: { true: 'false' } },
    deprecated('SCTs are enforced unless --insecure-ignore-sct is set', boolFlag('require a certificate timestamp')),
  ),
}

/** Which of the certificate flags exclude each other. */
export const certificateExclusions: readonly FlagGroup[] = [
  ['ca-roots', 'certificate-chain'],
  ['ca-intermediates', 'certificate-chain'],
]

/** How a registry is reached, for all verbs about images. */
export const registryFlags = {
  'allow-http-registry': boolFlag('reach registries without TLS. For testing only'),
  'allow-insecure-registry': boolFlag('accept any certificate of a registry, and no TLS. For testing only'),
  'attachment-tag-prefix': deprecated(
    'please use OCI referrers',
    stringFlag('begin the tags under which signatures are stored with this prefix', TEXT),
  ),
  'k8s-keychain': boolFlag(
    "use the credentials of the cloud or the cluster, too: pull secrets of the pod's namespace, Google's metadata server, helpers for ECR and ACR, GITHUB_TOKEN",
  ),
  'registry-cacert': stringFlag('certificate authorities of the registry in PEM', CERTIFICATE_FILE),
  'registry-client-cert': stringFlag('certificate to authenticate to the registry with, in PEM', CERTIFICATE_FILE),
  'registry-client-key': stringFlag('private key of that certificate, in PEM', CERTIFICATE_FILE),
  'registry-password': stringFlag('password for the registry', TEXT),
  'registry-server-name': stringFlag('name that the certificate of the registry must have', TEXT),
  'registry-token': stringFlag('bearer token for the registry', TEXT),
  'registry-username': stringFlag('user name for the registry', TEXT),
}

const noRegistry = 'files are verified without a registry, so it has no effect'

/** Registry flags that `verify-blob` of cosign 1.13 accepted and had no use for. */
const droppedRegistryFlags = {
  'allow-http-registry': ignored(deprecated(noRegistry, registryFlags['allow-http-registry'])),
  'allow-insecure-registry': ignored(deprecated(noRegistry, registryFlags['allow-insecure-registry'])),
  'attachment-tag-prefix': ignored(deprecated(noRegistry, registryFlags['attachment-tag-prefix'])),
  'k8s-keychain': ignored(deprecated(noRegistry, registryFlags['k8s-keychain'])),
}

/** `--key` of the verbs that verify. */
export const signerKeyFlag = stringFlag(
  'public key of the signer: a file, a URL, env://NAME, or a reference to a KMS, a Kubernetes secret or a token',
  { completion: 'file' },
)

/** What the verbs that verify files have in common. */
const fileVerificationFlags = {
  ...securityKeyFlags,
  ...verificationFlags,
  ...certificateFlags,
  bundle: stringFlag('Sigstore bundle, with the signature and everything that proves it', { placeholder: 'file', completion: 'file' }),
  key: signerKeyFlag,
  output: choiceFlag(['text', 'json'], 'what is printed about a verified signature', { shorthand: 'o', default: 'text' }),
  'rfc3161-timestamp': deprecated(
    'please use --bundle to provide the output bundle location, which will include the signed timestamp',
    stringFlag('timestamp token of the signature', { placeholder: 'file', completion: 'file' }),
  ),
}

/** All flags of `verify-blob`. */
export const verifyBlobFlags = {
  ...fileVerificationFlags,
  ...droppedRegistryFlags,
  signature: deprecated(
    'please use --bundle to provide a signature',
    stringFlag('signature: a file, a URL, or the signature itself in base64', { completion: 'file' }),
  ),
}

/** The short names of predicate types. */
export const PREDICATE_TYPES = [
  'custom',
  'cyclonedx',
  'link',
  'openvex',
  'slsaprovenance',
  'slsaprovenance02',
  'slsaprovenance1',
  'spdx',
  'spdxjson',
  'vuln',
] as const

/** All flags of `verify-blob-attestation`. */
export const verifyBlobAttestationFlags = {
  ...fileVerificationFlags,
  'check-claims': boolFlag('check that the statement is about the file or the given digest', { default: true }),
  digest: stringFlag('digest that the statement must be about, in hex, in place of a file', TEXT),
  digestAlg: stringFlag('algorithm of --digest', { completion: ['sha256', 'sha384', 'sha512'] }),
  signature: deprecated(
    'please use --bundle to provide a signature',
    stringFlag('DSSE envelope of the attestation', { placeholder: 'file', completion: 'file' }),
  ),
  type: stringFlag(`predicate type, as a URI or one of ${PREDICATE_TYPES.join(', ')}`, {
    default: 'custom',
    completion: PREDICATE_TYPES,
  }),
}
