/** What `verify` and `verify-attestation` are asked to do. */
import type { ImagePolicy } from '../../oci/verify-image.ts'
import type { FlagValues } from '../flags.ts'
import type { verifyAttestationFlags } from './flags.ts'

/** The flags that both verbs have. */
export type ImageVerificationFlags = Omit<FlagValues<typeof verifyAttestationFlags>, 'policy' | 'type'>

/** What is particular to one of the verbs, or one call of it. */
export interface ImageVerificationTask {
  readonly wanted: ImagePolicy['wanted']
  /** How the user named the predicate type. */
  readonly typeName?: string
  readonly acceptAttestations?: boolean
  readonly annotations?: Readonly<Record<string, string>>
  /** A signature in files, instead of those beside the image. */
  readonly given?: { readonly signature: string; readonly payload: string }
  /** What is attached to the image is what is verified. */
  readonly attachment?: 'sbom'
  /** Advice for where nothing is found. */
  readonly hint?: string
}
