/** The device flow (RFC 8628): the user enters a code in a browser on any device. */
import { excerpt } from '../encoding/bytes.ts'
import { CountersignError } from '../error.ts'
import { explained } from './oidc-client.ts'
import type { SignInStep } from './sign-in-step.ts'

/** Between two polls, whatever the issuer asks for: a whole second, and no more than the code lives. */
const shortestIntervalSeconds = 1
const longestLifetimeSeconds = 24 * 3_600

/** The lines on standard output are cosign's. */
export async function signInWithDevice({ client, issuer, signal, terminal }: SignInStep): Promise<string | undefined> {
  const { library, configuration } = client
  if (configuration.serverMetadata().device_authorization_endpoint === undefined) {
    throw new CountersignError(
      'SIGN_IN_FAILED',
      `the issuer ${excerpt(issuer, 120)} has no device flow; sign in with --fulcio-auth-flow normal, or give --identity-token`,
    )
  }
  return explained(issuer, signal, async () => {
    const verifier = library.randomPKCECodeVerifier()
    const device = await library.initiateDeviceAuthorization(configuration, {
      scope: 'openid email',
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const address = printableAddress(device.verification_uri_complete ?? device.verification_uri)
    terminal.print(`Enter the verification code ${printable(device.user_code)} in your browser at: ${address}`)
    terminal.print(`Code will be valid for ${device.expires_in} seconds`)
    const over = AbortSignal.timeout(Math.min(device.expires_in, longestLifetimeSeconds) * 1000)
    const polled = { ...device, interval: Math.max(device.interval ?? 5, shortestIntervalSeconds) }
    const tokens = await library
      .pollDeviceAuthorizationGrant(
        configuration,
        polled,
        { code_verifier: verifier },
        { signal: signal === undefined ? over : AbortSignal.any([over, signal]) },
      )
      .catch((cause: unknown) => {
        if (over.aborted) throw new CountersignError('SIGN_IN_FAILED', 'nobody entered the verification code before it expired', { cause })
        throw cause
      })
    terminal.print('Token received!')
    return tokens.id_token
  })
}

/** Whatever the issuer calls an address goes to a terminal. */
function printableAddress(text: string): string {
  return URL.canParse(text) ? new URL(text).href : printable(text)
}

function printable(text: string): string {
  return excerpt(text, 200).slice(1, -1)
}
