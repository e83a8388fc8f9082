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
      why: 'protojson takes the number of an enum for its name; ours takes names, as every writer has them',
      where: /: a number$/,
      ours: /^(?:BUNDLE|TRUSTED_ROOT)_INVALID .*\.(?:keyDetails|hashAlgorithm|algorithm) should be a string, found 7$/,
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
      why: 'of a Rekor v2 entry it takes the index from the entry, and size and root hash from the checkpoint, without a look at those of the proof',
      where: /on Rekor v2: .*inclusionProof\.(?:rootHash|treeSize|logIndex)\b/,
      ours: /^BUNDLE_INVALID .*(?:should (?:not be negative|be a 64-bit integer)|rootHash is missing)|^LOG_ENTRY_UNVERIFIED .*(?:with another root than the checkpoint|its inclusion proof)/,
    },
    {
      why: 'it rebuilds the body of a Rekor v2 entry from the bundle, and reads the one that is there for its kind alone; here it must be the one that was logged',
      where: /on Rekor v2: .*canonicalizedBody\b/,
      ours: /^LOG_ENTRY_(?:MISMATCH|INVALID|UNVERIFIED) |^INCLUSION_PROOF_INVALID /,
    },
    {
      why: 'it does not compare the size that a proof states with that of the checkpoint, where both give the same path',
      where: /inclusionProof\.treeSize: one more$/,
      ours: /^LOG_ENTRY_UNVERIFIED the inclusion proof is for a tree of \d+ entries with another root than the checkpoint/,
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
      byChance: true,
    },
    {
      why: 'it needs one timestamp and does not mind the same one twice; nobody puts it there twice by mistake',
      where: /rfc3161Timestamps: first repeated$/,
      ours: /^TIMESTAMP_UNVERIFIED the bundle has the same timestamp twice$/,
    },
    {
      why: "it does not hold a Rekor v2 entry to the log key's window; here the time of the timestamp must lie in it",
      where: /^window of the log key: a signature on Rekor v2: /,
      ours: /^LOG_ENTRY_UNVERIFIED the log .* is trusted from .* not at the time of the entry/,
    },
  ],
  moreLenient: [
    {
      why: 'messageDigest is only a hint (protobuf-specs, MessageSignature) and may be absent; it requires one',
      where: /messageSignature\.messageDigest: (?:dropped|null|emptied)$/,
      theirs: /missing verification material|unsupported digest algorithm|verifying inclusion: calculated root/,
    },
    {
      why: 'a managed key without a window needs no time (client specification, section 4.2), so no promise beside the proof; its client asks for one',
      where: /^a signature with a key: .*inclusionPromise: (?:dropped|null)$/,
      theirs: /must specify at least one of WithObserverTimestamps/,
    },
    {
      why: 'a proof of version 0.1 may come without a checkpoint (protobuf-specs, InclusionProof), as the promise is what counts; it requires one',
      where: /^a signature of version 0\.1: .*\.checkpoint: (?:dropped|null|emptied)$/,
      theirs: /inclusion proof missing required checkpoint/,
    },
    {
      why: 'what a trusted root says of an authority in words is not read, so that its type does not matter either',
      where: /^trusted root: \w+\.\d\.subject(?:\.\w+)?: /,
      theirs: /invalid value for string field|unexpected token/,
    },
    {
      why: 'certificates of a trusted root are read when something needs them, and their names are compared as bytes; it reads all, names too',
      where: /^trusted root: timestampAuthorities\.0\.certChain\.certificates\.\d\.rawBytes: /,
      theirs: /failed to parse certificate/,
      byChance: true,
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
