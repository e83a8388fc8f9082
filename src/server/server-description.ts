/** What a server says of itself, to people: its parts, their addresses, and what to do first. */
import { digest } from '../crypto/digest.ts'
import { encodeHex } from '../encoding/hex.ts'
import type { ServiceName } from './configuration.ts'
import type { PublicTrust } from './public-trust.ts'
import { servicePaths } from './server-trust.ts'
import type { ServerDescription } from './web/start-page.ts'
import { firstSteps } from './web/start-page.ts'

const parts: readonly { readonly service: ServiceName; readonly name: string; readonly path: string; readonly purpose: string }[] = [
  { service: 'issuer', name: 'Issuer', path: servicePaths.issuer, purpose: 'who are you?' },
  { service: 'ca', name: 'Certificates', path: '/api/v2/signingCert', purpose: 'certificates for signers (Fulcio)' },
  { service: 'ctlog', name: 'CT log', path: servicePaths.ctlog, purpose: 'which certificates were issued' },
  { service: 'rekor-v2', name: 'Rekor v2', path: '/api/v2/log/entries', purpose: 'what was signed' },
  { service: 'rekor-v1', name: 'Rekor v1', path: '/api/v1/log', purpose: 'what was signed, for older clients' },
  { service: 'tsa', name: 'Timestamps', path: servicePaths.timestamp, purpose: 'when it was signed' },
  { service: 'tuf', name: 'TUF repository', path: servicePaths.tuf, purpose: 'whom to trust' },
  { service: 'search', name: 'Search', path: '/search', purpose: 'what was signed by whom' },
]

/** The parts of a server that run. @param tuf where the first root can be read */
export async function describeServer(
  { origin, tufUrl, oidcIssuer }: PublicTrust,
  services: readonly ServiceName[],
  tuf: { file(path: string): Promise<Uint8Array | undefined> } | undefined,
): Promise<ServerDescription> {
  const root = await tuf?.file('1.root.json')
  return {
    origin,
    endpoints: parts
      .filter(({ service }) => services.includes(service))
      .map(({ name, path, purpose }) => ({ name, url: `${origin}${path}`, purpose })),
    steps:
      root === undefined
        ? []
        : firstSteps({
            tufUrl,
            rootChecksum: encodeHex(digest('sha256', root)),
            issuerUrl: oidcIssuer?.url ?? 'https://issuer.example.com',
          }),
  }
}
