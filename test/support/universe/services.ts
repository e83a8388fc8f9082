/** The services of a universe: certificate authority, CT log, both Rekors and the timestamp authority. */
import type { CertificateOptions, TestCertificate } from './certificates.ts'
import { codeSigning, issue, timeStamping } from './certificates.ts'
import type { KeyKind, TestKey } from './keys.ts'
import { namedKey } from './keys.ts'
import type { TestLog } from './logs.ts'
import { rekorV1, rekorV2 } from './logs.ts'
import type { TrustedRootJson } from './trusted-root.ts'
import { authority, ctInstance, logInstance } from './trusted-root.ts'

/** When everything happens unless a universe says otherwise: certificates are issued at this instant. */
export const epoch = Date.UTC(2026, 0, 15, 12, 0, 0)
const year = 365 * 24 * 3_600_000

type CaRole = 'root' | 'intermediate' | 'timestampRoot' | 'timestampLeaf'

/** What is different in a universe. */
export interface UniverseOptions {
  readonly rootKey?: KeyKind
  /** The key kind of the intermediates. */
  readonly issuingKey?: KeyKind
  readonly ctKey?: KeyKind
  readonly timestampKey?: KeyKind
  readonly logKey?: KeyKind
  /** The key kind of the Rekor v2 log; Ed25519 by default. */
  readonly tilesKey?: KeyKind
  /** How many certificates there are between the root and the leaves; one by default. */
  readonly intermediates?: number
  /** The instant around which everything happens; `epoch` by default. */
  readonly time?: number
  /** What is different in a certificate of the services. */
  readonly certificates?: Readonly<Partial<Record<CaRole, Partial<Omit<CertificateOptions, 'key'>>>>>
  /** Distinguishes the keys of one universe from those of another. */
  readonly name?: string
}

/** The services, with their keys. */
export interface Universe {
  /** When certificates are issued, in milliseconds since 1970. */
  readonly time: number
  readonly root: TestCertificate
  /** The one that issues leaves: the last intermediate, or the root where there is none. */
  readonly intermediate: TestCertificate
  /** From the one that issues leaves to the root. */
  readonly chain: readonly TestCertificate[]
  readonly ctLog: TestKey
  readonly rekor: TestLog
  readonly tiles: TestLog
  readonly timestampRoot: TestCertificate
  readonly timestampLeaf: TestCertificate
  /** The trusted root as JSON; `bend` may change it. */
  trustedRoot(bend?: (root: TrustedRootJson) => void): string
}

const universes = new Map<string, Universe>()

/** The universe with these options: made once. Its keys are like the public instance's, a P-384 CA above P-256 leaves. */
export function universeOf(options: UniverseOptions = {}): Universe {
  const label = JSON.stringify(options, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value))
  const universe = universes.get(label) ?? createUniverse(options)
  universes.set(label, universe)
  return universe
}

function createUniverse(options: UniverseOptions): Universe {
  const time = options.time ?? epoch
  const start = time - year
  const key = (role: string, kind: KeyKind): TestKey => namedKey(`${options.name ?? ''} ${role}`, kind)
  const certificate = (role: CaRole, usual: Omit<CertificateOptions, 'notBefore' | 'notAfter'>, by?: TestCertificate): TestCertificate =>
    issue({ notBefore: start, notAfter: time + 9 * year, ...usual, ...options.certificates?.[role] }, by)

  const root = certificate('root', { key: key('root', options.rootKey ?? 'p384'), name: 'root', ca: true })
  const chain = [root]
  for (let below = (options.intermediates ?? 1) - 1; below >= 0; below -= 1) {
    const name = below === 0 ? 'intermediate' : `intermediate-${below}`
    const usual = {
      key: key(name, options.issuingKey ?? 'p384'),
      name,
      ca: true,
      pathLength: below,
      extendedKeyUsage: [codeSigning],
    }
    chain.unshift(certificate('intermediate', usual, chain[0]))
  }
  const [intermediate = root] = chain
  const ctLog = key('ct log', options.ctKey ?? 'p256')
  const rekor = rekorV1(key('rekor', options.logKey ?? 'p256'))
  const tiles = rekorV2(key('tiles', options.tilesKey ?? 'ed25519'))
  const timestampRoot = certificate('timestampRoot', { key: key('tsa root', 'p384'), name: 'tsa-root', ca: true })
  const timestampLeaf = certificate(
    'timestampLeaf',
    {
      key: key('tsa', options.timestampKey ?? 'p256'),
      name: 'tsa',
      extendedKeyUsage: [timeStamping],
      extendedKeyUsageCritical: true,
    },
    timestampRoot,
  )
  return {
    time,
    root,
    intermediate,
    chain,
    ctLog,
    rekor,
    tiles,
    timestampRoot,
    timestampLeaf,
    trustedRoot(bend) {
      const json: TrustedRootJson = {
        mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
        tlogs: [logInstance(rekor, start), logInstance(tiles, start)],
        certificateAuthorities: [authority('fulcio', chain, start)],
        ctlogs: [ctInstance(ctLog, start)],
        timestampAuthorities: [authority('tsa', [timestampLeaf, timestampRoot], start)],
      }
      bend?.(json)
      return JSON.stringify(json)
    },
  }
}
