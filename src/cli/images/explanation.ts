/** `--explain`: the chain of evidence of each image, on stderr. */
import type { CommandContext } from '../context.ts'
import type { RefusedImage, VerifiedImage } from './verify-images.ts'

export type Explain = (image: VerifiedImage | RefusedImage) => void

/** What explains, or says nothing where nobody asked. */
export async function explanationOf({ stderr }: CommandContext, flags: { readonly explain: boolean }): Promise<Explain> {
  if (!flags.explain) return () => undefined
  const [{ evidenceTree }, { drawTree }] = await Promise.all([import('./evidence-tree.ts'), import('./wrapped-tree.ts')])
  return (image) => stderr.write(`\n${drawTree(evidenceTree(image), stderr.columns)}`)
}
