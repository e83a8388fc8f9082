/** Runs `bundle inspect` in-process on a bundle that is piped in. */
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import type { Json } from '../../../support/universe/universe.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

/** Runs `bundle inspect` with these arguments. */
export function runInspect(args: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  return runCaptured(['bundle', 'inspect', ...args], surroundings)
}

/** Inspects what is piped in: text as it is, anything else as JSON. */
export function inspect(input: string | object, ...args: readonly string[]): Promise<Outcome> {
  return runInspect(['-', ...args], { stdin: encodeUtf8(typeof input === 'string' ? input : JSON.stringify(input)) })
}

/** The tree that is printed, as lines. */
export async function treeOf(input: string | object): Promise<string[]> {
  const { exitCode, stdout, stderr } = await inspect(input)
  if (exitCode !== 0) throw new Error(stderr)
  return stdout.trimEnd().split('\n')
}

/** The JSON that is printed, parsed. */
export async function jsonOf(input: string | object): Promise<Json> {
  const { exitCode, stdout, stderr } = await inspect(input, '-o', 'json')
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Json
}

/** The first line with this label, and all that stand below it, without the indentation that they share. */
export function section(tree: readonly string[], label: string): string[] {
  const start = tree.findIndex((line) => line.trimStart().startsWith(`- ${label}:`))
  if (start === -1) return []
  const depth = depthOf(tree[start] ?? '')
  const rest = tree.slice(start + 1)
  const length = rest.findIndex((line) => depthOf(line) <= depth)
  return tree.slice(start, length === -1 ? undefined : start + 1 + length).map((line) => line.slice(depth))
}

function depthOf(line: string): number {
  return line.length - line.trimStart().length
}
