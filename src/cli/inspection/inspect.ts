/** `bundle inspect`: prints what a file of bundles holds. */
import type { JsonValue } from '../../encoding/json.ts'
import { DecodingError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import type { BundleFile, BundleLine } from './bundle-file.ts'
import { readBundleFile } from './bundle-file.ts'
import { bundleJson } from './bundle-json.ts'
import { bundleTree } from './bundle-tree.ts'
import { formatJson } from './json-text.ts'
import type { TreeNode } from './tree.ts'
import { node, renderTree, unparsable } from './tree.ts'

/**
 * Prints the bundles of a file.
 * @param file a path, or `-` for standard input
 * @throws DecodingError BUNDLE_INVALID after everything is printed when some lines of the file hold no bundle; whatever
 *   `readBundleFile` throws
 */
export async function inspectBundles(context: CommandContext, file: string, output: 'text' | 'json'): Promise<void> {
  warn(context, 'This command only inspects the contents of the bundle.')
  context.stderr.write('It does not perform cryptographic verification or verify log inclusion.\n\n')
  const found = await readBundleFile(context, file)
  context.stdout.write(output === 'json' ? `${formatJson(jsonOf(found))}\n` : renderTree(treeOf(found)))
  failOnBrokenLines(found)
}

function jsonOf({ isLines, bundles }: BundleFile): JsonValue {
  const values = bundles.map(({ line, bundle }) =>
    bundle.value === undefined ? { line, problem: bundle.problem } : bundleJson(bundle.value),
  )
  return isLines ? values : (values[0] ?? null)
}

function treeOf({ bundles }: BundleFile): readonly TreeNode[] {
  const [only] = bundles
  if (bundles.length === 1 && only?.bundle.value !== undefined) return bundleTree(only.bundle.value)
  return bundles.map(lineNode)
}

function lineNode({ bundle }: BundleLine, index: number): TreeNode {
  const label = `Bundle [${index}]`
  return bundle.value === undefined ? node(label, unparsable(bundle.problem)) : node(label, '', bundleTree(bundle.value))
}

function failOnBrokenLines({ name, bundles }: BundleFile): void {
  const broken = bundles.filter(({ bundle }) => bundle.value === undefined)
  const [first] = broken
  if (first === undefined) return
  const lines = broken.length === 1 ? `line ${first.line} holds` : `${broken.length} of ${bundles.length} lines hold`
  throw new DecodingError('BUNDLE_INVALID', `the bundle ${name} was inspected in part: ${lines} no bundle`)
}
