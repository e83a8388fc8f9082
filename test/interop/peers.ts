/** The real programs that `npm run peers` installs. */
import { existsSync } from 'node:fs'
import path from 'node:path'

const folder = path.resolve(import.meta.dirname, '../..', process.env['COUNTERSIGN_PEERS'] ?? '.cache/peers/bin')

/**
 * The path of a program; undefined where it is missing, which is said once. In CI a missing program is a failure.
 * @param names the names it may have
 */
export function findPeer(...names: readonly string[]): string | undefined {
  const found = names.map((name) => path.join(folder, name)).find(existsSync)
  if (found !== undefined) return found
  const advice = `${names[0]} is not in ${folder}: install it with npm run peers, or name its folder in COUNTERSIGN_PEERS`
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: ${advice}`)
  return undefined
}
