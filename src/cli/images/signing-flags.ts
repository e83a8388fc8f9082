/** The flags of the verbs that sign images. Names, shorthands, kinds and defaults are cosign's, from 1.13 to 3.1. */
import { PREDICATE_TYPES, registryFlags } from '../flag-groups.ts'
import { boolFlag, choiceFlag, deprecated, standIn, stringFlag, stringSliceFlag } from '../flags.ts'
import { oldOutputFlags, signingFlags } from '../signing/flags.ts'

const FILE = { placeholder: 'file', completion: 'file' } as const
const onlyKind = { placeholder: 'what', completion: ['sbom'] } as const

/** `--registry-referrers-mode`, of the verbs that write. */
export const referrersModeFlag = choiceFlag(
  ['legacy', 'oci-1-1'],
  'how what is not a bundle is stored: under a tag, or as an OCI referrer in the way that cosign 2 tried out',
  { default: '' },
)

/** What `sign` and `attest` have in common. */
export const imageSigningFlags = {
  ...signingFlags,
  ...registryFlags,
  // Gone from cosign since 2.0, as is --no-tlog-upload.
  force: standIn({ flag: 'yes' }, deprecated('please use --yes instead', boolFlag('do not ask for confirmation', { shorthand: 'f' }))),
  'local-image': boolFlag('IMAGE is a folder with an OCI image layout, as a build or "save" has written it; no registry is asked'),
  'no-tlog-upload': standIn(
    { flag: 'tlog-upload', values: { true: 'false' } },
    deprecated('please use --tlog-upload=false instead', boolFlag('do not record the signature in the transparency log')),
  ),
  'record-creation-timestamp': deprecated(
    'not used with the new bundle format',
    boolFlag('write the time into what is stored under a tag, or SOURCE_DATE_EPOCH'),
  ),
}

/** All flags of `sign`. */
export const signFlags = {
  ...imageSigningFlags,
  ...oldOutputFlags,
  annotations: stringSliceFlag('key=value that is signed with the image; may be repeated', { shorthand: 'a' }),
  attachment: deprecated(
    'please use OCI referrers for attachments; see `countersign attach sbom --registry-referrers-mode=oci-1-1 --help`',
    stringFlag('sign what is attached to the image: sbom', onlyKind),
  ),
  'output-payload': deprecated(
    'please use --bundle to provide the output bundle location, which will include the payload',
    stringFlag('write what is signed to this file', FILE),
  ),
  payload: deprecated(
    'payload will always be generated automatically in future versions',
    stringFlag('sign this payload, which "generate" has made', FILE),
  ),
  recursive: boolFlag('sign an index and every image that it names', { shorthand: 'r' }),
  'registry-referrers-mode': referrersModeFlag,
  'sign-container-identity': deprecated(
    'not possible when OCI referrers become the default behavior',
    stringSliceFlag('what the signature calls the image, instead of its repository; several make several signatures', {
      placeholder: 'name',
      completion: 'none',
    }),
  ),
  upload: boolFlag('store the signature in the registry', { default: true }),
}

/** All flags of `attest`. */
export const attestFlags = {
  ...imageSigningFlags,
  'no-upload': boolFlag('do not store the attestation in the registry; without --bundle it is printed'),
  predicate: stringFlag('what is said about the image: a file, or - for standard input', FILE),
  recursive: deprecated(
    'attestations are mostly about one image, so name the images of an index one by one',
    boolFlag('attest an index and every image that it names', { shorthand: 'r' }),
  ),
  'rekor-entry-type': deprecated(
    'support for this flag will be removed in the future. it is strongly discouraged to rely on Rekor for attestation storage, and in future releases of Rekor, this functionality will be removed.',
    stringFlag('kind of the entry in the transparency log', { default: 'dsse', completion: ['dsse', 'intoto'] }),
  ),
  replace: deprecated(
    'not needed when OCI referrers become the default behavior',
    boolFlag('put the attestation in the place of those of the same type'),
  ),
  statement: stringFlag('sign this in-toto statement as it is: a file, or - for standard input', FILE),
  type: stringFlag(`type of the predicate, as a URI or one of ${PREDICATE_TYPES.join(', ')}`, {
    default: 'custom',
    completion: PREDICATE_TYPES,
  }),
}
