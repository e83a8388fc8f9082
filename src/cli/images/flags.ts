/** The flags of the verbs that verify images. Names, shorthands, kinds and defaults are cosign's, from 1.13 to 3.1. */
import { PREDICATE_TYPES, certificateFlags, registryFlags, securityKeyFlags, signerKeyFlag, verificationFlags } from '../flag-groups.ts'
import { boolFlag, choiceFlag, deprecated, stringFlag, stringSliceFlag } from '../flags.ts'

const FILE = { placeholder: 'file', completion: 'file' } as const

/** What `verify` and `verify-attestation` have in common. */
const imageVerificationFlags = {
  ...securityKeyFlags,
  ...registryFlags,
  ...verificationFlags,
  ...certificateFlags,
  'check-claims': boolFlag('check that what was signed is about this image', { default: true }),
  explain: boolFlag('show the chain of evidence as a tree: who signed, what vouches for it, and what did not count'),
  key: signerKeyFlag,
  'local-image': boolFlag('IMAGE is a folder that "save" has written, or an archive of "docker save"; no registry is asked'),
  output: choiceFlag(['json', 'text'], 'what is printed about verified signatures', { shorthand: 'o', default: 'json' }),
  platform: stringFlag('verify the image for this platform, such as linux/arm64, that an index names', { completion: 'none' }),
  recursive: boolFlag('verify an index and every image that it names', { shorthand: 'r' }),
}

/** All flags of `verify`. */
export const verifyFlags = {
  ...imageVerificationFlags,
  'accept-attestations': boolFlag('let an attestation about the image count as its signature, as cosign 3 does'),
  annotations: stringSliceFlag('key=value that the signature must say; may be repeated', { shorthand: 'a' }),
  attachment: deprecated(
    'please use OCI referrers for attachments and verify with `--experimental-oci11`',
    stringFlag('verify what is attached to the image: sbom'),
  ),
  payload: deprecated('payload will always be verified from the bundle in future versions', stringFlag('what was signed, in a file', FILE)),
  signature: deprecated(
    'signatures are automatically fetched from the OCI registry during image verification',
    stringFlag('signature in a file, for a signature that is not beside the image', FILE),
  ),
}

/** All flags of `dockerfile verify`. */
export const verifyDockerfileFlags = {
  ...verifyFlags,
  'base-image-only': boolFlag('verify only what the last stage is built on'),
}

/** All flags of `verify-attestation`. */
export const verifyAttestationFlags = {
  ...imageVerificationFlags,
  policy: stringSliceFlag(
    'policy that attestations must fulfil, in CUE (.cue), Rego (.rego), CEL (.cel) or as a JSON Schema (.json); may be repeated',
    FILE,
  ),
  type: stringFlag(`predicate type, as a URI or one of ${PREDICATE_TYPES.join(', ')}`, { default: 'custom', completion: PREDICATE_TYPES }),
}
