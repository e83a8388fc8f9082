/** The flags of the verbs that move, list and remove what is in registries. Names, shorthands, kinds and defaults are cosign's. */
import { registryFlags } from '../flag-groups.ts'
import { boolFlag, choiceFlag, deprecated, ignored, stringFlag, stringSliceFlag } from '../flags.ts'

const TEXT = { completion: 'none' } as const
const platform = stringFlag('the image for this platform, such as linux/arm64, that an index names', TEXT)

export const saveFlags = {
  ...registryFlags,
  dir: stringFlag('folder for the image and everything beside it', { required: true, completion: 'directory' }),
}

export const loadFlags = {
  ...registryFlags,
  dir: stringFlag('folder with an image layout, or an archive', { required: true, completion: 'file' }),
}

export const copyFlags = {
  ...registryFlags,
  force: boolFlag('replace the image that has the tag, and signatures that are there', { shorthand: 'f' }),
  only: stringSliceFlag('copy signatures, attestations or SBOMs without moving the tag: any of sig, att, sbom', {
    completion: ['sig', 'att', 'sbom'],
  }),
  platform,
  'sig-only': boolFlag('copy signatures without moving the tag; use --only=sig instead'),
}

export const cleanFlags = {
  ...registryFlags,
  force: boolFlag('remove without asking', { shorthand: 'f' }),
  type: choiceFlag(['signature', 'attestation', 'referrer', 'sbom', 'all'], 'what is removed', { default: 'all' }),
}

export const treeFlags = {
  ...registryFlags,
  'experimental-oci11': ignored(
    deprecated('OCI referrers will be the default behavior in future versions', boolFlag('look at OCI 1.1 referrers', { default: true })),
  ),
  'registry-referrers-mode': ignored(
    choiceFlag(['legacy', 'oci-1-1'], 'how referrers are found; every way is tried in any case', { default: '' }),
  ),
}

export const triangulateFlags = {
  ...registryFlags,
  type: stringFlag('what is looked for: signature, attestation, sbom or digest', {
    default: 'signature',
    completion: ['signature', 'attestation', 'sbom', 'digest'],
  }),
}

export const downloadSignatureFlags = { ...registryFlags }

export const downloadAttestationFlags = {
  ...registryFlags,
  platform,
  'predicate-type': stringFlag('only attestations with this predicate type: a URI or a short name such as slsaprovenance', TEXT),
}

export const downloadSbomFlags = { ...registryFlags, platform }
