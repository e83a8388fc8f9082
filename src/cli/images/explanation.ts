/** `--explain`: the chain of evidence of each image, on stderr. */
import type { CommandContext } from '../context.ts'
import type { RefusedImage, VerifiedImage } from './verify-images.ts'

export interface Explanation {
  verified(image: VerifiedImage): void
  refused(image: RefusedImage): void
}

/** What explains, or says nothing where nobody asked. */
export async function explanationOf({ stderr }: CommandContext, flags: { readonly explain: boolean }): Promise<Explanation> {
  if (!flags.explain) return { verified: () => undefined, refused: () => undefined }
  const [{ evidenceTree }, { drawTree }] = await Promise.all([import('./evidence-tree.ts'), import('./wrapped-tree.ts')])
  const explain = (image: VerifiedImage | RefusedImage): void => stderr.write(`\n${drawTree(evidenceTree(image), stderr.columns)}`)
  return { verified: explain, refused: explain }
}
