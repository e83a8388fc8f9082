/** The reasons for which ours and sigstore-js may differ. */
import type { Explanations } from './disagreement.ts'

export const sigstoreJsExplanations: Explanations = {
  stricter: [
    {
      why: 'its patterns for media types are open at the end',
      where: /: mediaType: a (?:character|space) added$/,
      ours: /^BUNDLE_INVALID bundle\.mediaType should be that of a Sigstore bundle/,
    },
    {
      why: 'it drops fields that it does not know; a bundle may not say more than is read',
      where: /: an unknown member added$/,
      ours: /^BUNDLE_INVALID .* has an unknown field "surprise"$/,
    },
    {
      why: 'its base64 decoder skips what is not base64, takes the URL alphabet and missing padding; one text for one byte string here',
      where: /: (?:a character added|a space added|without padding|in the URL alphabet|with a line break)$/,
      ours: /^BUNDLE_INVALID .* is not standard base64 with padding/,
    },
    {
      why: 'it coerces numbers to texts, which it then decodes as base64 or does not use',
      where: /: a number$/,
      ours: /^BUNDLE_INVALID .* should be a (?:base64 )?string, found 7$/,
    },
    {
      why: 'it reads numbers with Number() and BigInt(); ours are decimal, canonical, within 64 bits and not negative',
      where: /(?:logIndex|integratedTime|treeSize): (?:emptied|a character added|a space added|a leading zero|negative|beyond 64 bits)$/,
      ours: /^BUNDLE_INVALID .* should (?:be a 64-bit integer|not be negative), found/,
    },
    {
      why: 'it takes an array or object that it does not expect for an empty message or list, where nothing of it is needed',
      where: /(?:publicKey|logId|timestampVerificationData): an array$|rfc3161Timestamps: an object$/,
      ours: /^BUNDLE_INVALID .* should be an (?:object|array), found an (?:object|array)$/,
    },
    {
      why: 'it does not compare the root hash that a proof states with anything; what is stated must be true here',
      where: /inclusionProof\.rootHash: /,
      ours: /^BUNDLE_INVALID .*inclusionProof\.rootHash is missing$|^LOG_ENTRY_UNVERIFIED .* with another root than the checkpoint/,
    },
    {
      why: 'it takes the size of the tree from the checkpoint and does not look at that of the proof',
      where: /inclusionProof\.treeSize: |swapped with .*inclusionProof\.treeSize$/,
      ours: /^LOG_ENTRY_UNVERIFIED the inclusion proof is for a tree of \d+ entries with another root than the checkpoint/,
    },
    {
      why: 'it does not look at the index of an entry without a promise; the client specification has it in the proof as well',
      where: /tlogEntries\.0\.logIndex: |swapped with .*tlogEntries\.0\.logIndex$/,
      ours: /^LOG_ENTRY_UNVERIFIED the log entry has the index \d+, its inclusion proof/,
    },
    {
      why: 'it finds the log of a Rekor v2 entry by the key hint in the checkpoint; the entry must be of that log here',
      where: /logId(?:\.keyId)?: |swapped with .*logId\.keyId$/,
      ours: /^BUNDLE_INVALID .*logId\.keyId is missing$|^LOG_ENTRY_UNVERIFIED not enough verified log entries .*unknown log/,
    },
    {
      why: 'it passes over what follows the last line of a checkpoint',
      where: /checkpoint\.envelope: a (?:character|space) added$/,
      ours: /^NOTE_INVALID a signed note ends in a newline/,
    },
    {
      why: 'it compares the digest without asking of which algorithm it is',
      where: /messageDigest\.algorithm: (?:dropped|null)$/,
      ours: /^BUNDLE_INVALID .*messageDigest\.algorithm is missing$/,
    },
    {
      why: 'it does not look at the bits of a tag above the number, nor at bytes behind a certificate or timestamp',
      where: /(?:rawBytes|signedTimestamp): a (?:byte added|bit of byte 0 flipped)$/,
      ours: /^DER_INVALID the (?:certificate|timestamp response) is not valid DER: (?:.* has tag .* was expected|1 bytes stand after)/,
    },
    {
      why: 'a Rekor v2 entry has no promise, so it does not see one that is there twice',
      where: /tlogEntries: first repeated$/,
      ours: /^LOG_ENTRY_UNVERIFIED the bundle has the entry \d+ of one log twice$/,
    },
  ],
  moreLenient: [
    {
      why: 'a proof of version 0.1 may come without a checkpoint (protobuf-specs, InclusionProof); it expects one and crashes',
      where: /^a signature of version 0\.1: .*\.checkpoint: (?:dropped|null)$/,
      theirs: /TypeError: Cannot read properties of undefined \(reading 'envelope'\)/,
    },
    {
      why: 'a managed key without a window needs no time (client specification, section 4.2), so no promise beside the proof; it wants a time for any',
      where: /with an? (?:RSA )?key: .*\.inclusionPromise: (?:dropped|null)$/,
      theirs: /expected 1 timestamps, got 0/,
    },
    {
      why: 'messageDigest is only a hint (protobuf-specs, MessageSignature) and may be absent; it requires one',
      where: /: messageSignature\.messageDigest: (?:dropped|null|emptied)$/,
      theirs: /invalid (?:v0\.[12] )?bundle/,
    },
    {
      why: "Rekor v1's key identifier is of the key alone, and its own verifier finds the line by it; sigstore-js compares the line's unsigned name too",
      where: /checkpoint\.envelope: .*, a name in a signature line$/,
      theirs: /no matching checkpoint signatures|invalid checkpoint signature/,
    },
  ],
}
