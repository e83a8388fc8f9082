/** The files of folders, for `--recursive`. */
import { lstatSync, readdirSync, statSync } from 'node:fs'
import type { Dirent } from 'node:fs'
import path from 'node:path'
import { TransportError, UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { logVerbose } from '../context.ts'
import { reasonOf } from '../verification/system-error.ts'

const maxFiles = 100_000
const maxDepth = 100
const bundleName = /\.sigstore(?:\.jsonl?)?$/

/**
 * Lists what there is to sign below folders, in the order of their names; a file among them stands for itself. Passed over are links, which
 * may lead anywhere, hidden files and folders, bundles, so that a tree is the same when it is signed again, and what is no file.
 * @param outputs files that the command writes itself
 * @throws UsageError USAGE when nothing is left, or too much; TransportError FILE_UNREADABLE for a folder that cannot be read
 */
export function listTree(context: CommandContext, roots: readonly string[], outputs: readonly string[]): string[] {
  const own = new Set(outputs.filter((file) => file !== '').map((file) => path.resolve(context.cwd, file)))
  const found: string[] = []
  const visit = (folder: string, depth: number): void => {
    if (depth > maxDepth) throw new UsageError('USAGE', `${folder} is more than ${maxDepth} folders deep: sign its parts one at a time`)
    for (const entry of entriesOf(context, folder)) {
      const name = path.join(folder, entry.name)
      const reason = whyNot(entry, own.has(path.resolve(context.cwd, name)))
      if (reason !== undefined) logVerbose(context, `${name} is not signed: it is ${reason}`)
      else if (entry.isDirectory()) visit(name, depth + 1)
      else if (found.push(name) > maxFiles) throw new UsageError('USAGE', `there are more than ${maxFiles} files: sign them in parts`)
    }
  }
  for (const root of roots) {
    if (isFolder(context, root)) visit(root, 1)
    else found.push(root)
  }
  if (found.length > 0) return found
  throw new UsageError('USAGE', `there is nothing to sign in ${roots.join(', ')}: links, hidden files and bundles are passed over`)
}

function whyNot(entry: Dirent, isOutput: boolean): string | undefined {
  if (entry.name.startsWith('.')) return 'hidden'
  if (entry.isSymbolicLink()) return 'a link'
  if (entry.isDirectory()) return undefined
  if (!entry.isFile()) return 'no file'
  if (isOutput) return 'written by this command'
  return bundleName.test(entry.name) ? 'a bundle' : undefined
}

function entriesOf({ cwd }: CommandContext, folder: string): Dirent[] {
  try {
    return readdirSync(path.resolve(cwd, folder), { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `the folder ${folder} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** A link that the user names is followed; what is not there is left to be noticed as a blob. */
function isFolder({ cwd }: CommandContext, name: string): boolean {
  const file = path.resolve(cwd, name)
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined && statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
}
