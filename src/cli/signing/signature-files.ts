/** The files that every kind of signature can be written into. */
import { encodeBundle } from '../../bundle/encode-bundle.ts'
import { encodeLegacyBundle } from '../../bundle/legacy-bundle-writer.ts'
import type { SignedEntity } from '../../bundle/signed-entity.ts'
import { encodePem } from '../../encoding/pem.ts'
import type { OutputFile } from './output-files.ts'

/** The bundle, in the format of today or that of cosign 1 and 2; none for an empty name. */
export function bundleFile(file: string, entity: SignedEntity, isLegacy: boolean): OutputFile[] {
  if (file === '') return []
  const contents = isLegacy ? encodeLegacyBundle(entity) : encodeBundle(entity, { certificateChain: true })
  return [{ path: file, what: 'bundle', contents }]
}

/** The signer's certificate, PEM; none for an empty name, and none where a key has signed. */
export function certificateFile(file: string, { keyMaterial }: SignedEntity, encode = (pem: string): string => pem): OutputFile[] {
  if (file === '' || keyMaterial.kind !== 'certificate') return []
  return [{ path: file, what: 'certificate', contents: encode(encodePem('CERTIFICATE', keyMaterial.leaf)) }]
}
