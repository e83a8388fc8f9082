/** The public material of a test universe's services, as a server has it. */
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import type { PublicTrust } from '../../../src/server/public-trust.ts'
import type { TestKey } from '../universe/keys.ts'
import type { Universe } from '../universe/services.ts'

/** Everything starts a year before the universe's time, as in its own trusted root, and has no end. */
export function publicTrustOf(universe: Universe, origin = 'https://sigstore.universe.test'): PublicTrust {
  const window = { start: universe.time - 365 * 86_400_000, end: undefined }
  const log = (url: string, key: TestKey) => ({ url, publicKey: parsePublicKey(key.spki), window })
  return {
    origin,
    tufUrl: `${origin}/tuf`,
    certificateAuthorities: [{ url: 'https://fulcio.universe.test', certificates: universe.chain.map(({ der }) => der), window }],
    ctLogs: [log('https://ct.universe.test', universe.ctLog)],
    rekorV1Logs: [log(universe.rekor.baseUrl, universe.rekor.key)],
    rekorV2Logs: [log(universe.tiles.baseUrl, universe.tiles.key)],
    timestampAuthorities: [
      { url: 'https://tsa.universe.test', certificates: [universe.timestampLeaf.der, universe.timestampRoot.der], window },
    ],
    oidcIssuer: { url: `${origin}/oidc`, clientId: 'sigstore', window },
  }
}
