/** The reasons for which ours and sigstore-go may differ. */
import type { Explanations } from '../fuzz/disagreement.ts'

export const sigstoreGoExplanations: Explanations = {
  stricter: [
    {
      why: 'its base64 decoder takes line breaks, the URL alphabet and missing padding; one text for one byte string here',
      where: /: (?:without padding|in the URL alphabet|with a line break)$/,
      ours: /^(?:BUNDLE|TRUSTED_ROOT)_INVALID .* is not standard base64 with padding/,
    },
    {
      why: 'it does not compare the kind and version that a bundle states with those of the entry',
      where: /kindVersion(?:\.kind|\.version)?: /,
      ours: /^LOG_ENTRY_MISMATCH the bundle says the log entry is |^BUNDLE_INVALID .*kindVersion\.(?:kind|version) is missing$/,
    },
    {
      why: 'it takes an empty promise for none',
      where: /inclusionPromise(?:\.signedEntryTimestamp)?: (?:emptied|dropped|null)$/,
      ours: /^BUNDLE_INVALID .*inclusionPromise\.signedEntryTimestamp is missing$/,
    },
    {
      why: 'of a Rekor v2 entry it takes index and size from elsewhere, and does not compare the root hash that the proof states',
      where: /on Rekor v2: .*inclusionProof\.(?:rootHash|treeSize|logIndex): /,
      ours: /^BUNDLE_INVALID .*(?:should not be negative|rootHash is missing)|^LOG_ENTRY_UNVERIFIED .* with another root than the checkpoint/,
    },
    {
      why: 'it verifies under a trusted root without logs, for which it asks no threshold',
      where: /^trusted root: tlogs: (?:dropped|null|emptied)$/,
      ours: /^LOG_ENTRY_UNVERIFIED not enough verified log entries/,
    },
    {
      why: 'it takes the anchor of a chain for its key and name alone; here it must be a certificate that could have issued, by its extensions too',
      where: /^trusted root: certificateAuthorities\.0\.certChain\.certificates\.\d\.rawBytes: a bit of byte \d+ flipped$/,
      ours: /^(?:CERTIFICATE_UNTRUSTED|CERTIFICATE_INVALID|DER_INVALID|TRUSTED_ROOT_INVALID) /,
    },
  ],
  moreLenient: [
    {
      why: 'messageDigest is only a hint (protobuf-specs, MessageSignature) and may be absent; it requires one',
      where: /messageSignature\.messageDigest: (?:dropped|null|emptied)$/,
      theirs: /missing verification material|validation error/,
    },
    {
      why: 'a log whose kind of key is not known verifies nothing and is left out, so that a trusted root may gain new kinds; protojson refuses it',
      where: /^trusted root: .*tlogs\.\d\.publicKey\.keyDetails/,
      theirs: /invalid value for enum field keyDetails/,
    },
    {
      why: 'a timestamp of an authority that is not in the trusted root does not count, and the promise gives a time as well; it asks for a timestamp wherever one is',
      where: /^trusted root: timestampAuthorities/,
      theirs: /threshold not met for verified signed timestamps/,
    },
  ],
}
