/** How the logs sign their checkpoints: the origins, names and key identifiers that clients expect. */
import { digest } from '../../crypto/digest.ts'
import type { Signer } from '../../crypto/signer.ts'
import type { NoteSigner } from '../../merkle/signed-note.ts'
import { noteKeyId } from '../../merkle/signed-note.ts'

/** The origin of a Rekor v1 tree. */
export function rekorV1Origin(host: string, treeId: bigint): string {
  return `${host} - ${treeId}`
}

/** Signs the checkpoints of a Rekor v1 tree: the key identifier is that of before C2SP, of the key alone. */
export function rekorV1NoteSigner(host: string, signer: Signer): NoteSigner {
  return { name: host, keyId: digest('sha256', signer.publicKey.spki).subarray(0, 4), sign: (text) => signer.sign(text) }
}

/** Signs the checkpoints of a Rekor v2 log. @param origin its host name */
export function rekorV2NoteSigner(origin: string, signer: Signer): NoteSigner {
  return { name: origin, keyId: noteKeyId(origin, signer.publicKey), sign: (text) => signer.sign(text) }
}
