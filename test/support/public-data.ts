/** Public bundles, trusted roots and conformance cases, read from beside the project where they are at hand. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { TrustMaterial } from '../../src/trust/trust-material.ts'
import { loadTrustMaterial } from '../../src/trust/trust-material.ts'

const root = path.resolve(import.meta.dirname, '../../../shared/data')

/** Whether the data is there. A suite that needs it says so and is skipped where it is not. */
export const hasPublicData: boolean = existsSync(path.join(root, 'conformance'))

if (!hasPublicData) console.warn('skipped: the public bundles and conformance cases are not at ../shared/data')

/** The path of a file of the public data. */
export function publicPath(...parts: string[]): string {
  return path.join(root, ...parts)
}

export function readPublic(...parts: string[]): Uint8Array {
  return readFileSync(publicPath(...parts))
}

/** The public instance's trusted root. */
export function publicGoodTrust(): TrustMaterial {
  return loadTrustMaterial(readPublic('trust', 'public-good.trusted_root.json'))
}

/** One case of the conformance suite, with the suite's defaults filled in. */
export interface ConformanceCase {
  readonly name: string
  readonly mustFail: boolean
  readonly bundle: string
  readonly artifact: string
  readonly trustedRoot: string
  readonly key: string | undefined
  readonly identity: string
  readonly issuer: string
}

const suite = {
  identity:
    'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
}

/** Every case in the folder, so that new ones are picked up. */
export function conformanceCases(): ConformanceCase[] {
  if (!hasPublicData) return []
  const folder = path.join(root, 'conformance', 'bundle-verify')
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const file = (base: string): string => path.join(folder, name, base)
      const text = (base: string, fallback: string): string => (existsSync(file(base)) ? readFileSync(file(base), 'utf8').trim() : fallback)
      const own = (base: string, fallback: string): string => (existsSync(file(base)) ? file(base) : fallback)
      return {
        name,
        mustFail: name.endsWith('_fail'),
        bundle: file('bundle.sigstore.json'),
        artifact: own('artifact', path.join(folder, 'a.txt')),
        trustedRoot: own('trusted_root.json', path.join(root, 'trust', 'public-good.trusted_root.json')),
        key: existsSync(file('key.pub')) ? file('key.pub') : undefined,
        identity: text('identity', suite.identity),
        issuer: text('issuer', suite.issuer),
      }
    })
}
