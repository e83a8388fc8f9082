/** Notices about deprecated flags, in the words of the real cosign: people and scripts have seen them before. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { rootEntry } from '../../src/cli/root.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import { findPeer, runPeer } from './peer.ts'

const table = '../shared/data/cosign-cli/3.1.3.tsv'
const cosign = findPeer('cosign') ?? ''
if (!existsSync(table)) console.warn(`skipped: ${table}, the flags of cosign 3.1.3, is not in ${path.resolve('.')}`)
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-notices-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Flags whose notice would not be true here: cosign says that SCTs are no longer verified when signing. Ours are. */
const ownWords = new Set(['--insecure-skip-verify'])

/** Words that use every deprecated flag of a verb once. */
function deprecatedFlags(verb: string): string[] {
  const rows = readFileSync(table, 'utf8')
    .split('\n')
    .map((row) => row.split('\t'))
  return rows.flatMap(([command, flag = '', , kind, value = '', marks = '']) => {
    if (command !== `cosign ${verb}` || !marks.split(',').includes('deprecated') || ownWords.has(flag)) return []
    return [kind === 'string' ? `${flag}=x` : `${flag}=${value}`]
  })
}

const noticesIn = (stderr: string): string[] => stderr.split('\n').filter((line) => line.startsWith('Flag --'))

describe.skipIf(cosign === '' || !existsSync(table))('deprecated flags are announced as cosign announces them', async () => {
  const { command } = await rootEntry.load()
  const loaded = await Promise.all(command.subcommands.map(async ({ name, load }) => ({ name, ...(await load()) })))
  // A group of verbs says nothing about the flags that it hands down.
  const single = loaded.filter(({ command: { subcommands } }) => subcommands.length === 0).map(({ name }) => name)
  const verbs = single.filter((name) => existsSync(table) && deprecatedFlags(name).length > 0)
  it.each(verbs)('%s', async (verb) => {
    const words = [verb, 'nowhere', ...deprecatedFlags(verb)]
    const theirs = noticesIn(runPeer(cosign, words, folder).stderr)
    const ours = noticesIn((await runCaptured(words, { cwd: folder, env: { HOME: folder } })).stderr)
    expect(theirs.length).toBeGreaterThan(0)
    expect(ours).toEqual(theirs.map((line) => line.replace('`cosign ', '`countersign ')))
  })
})
