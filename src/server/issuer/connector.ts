/** An upstream issuer: where people sign in instead of here. */

/** What a sign-in at an upstream issuer is bound to; each is used once. */
export interface UpstreamAttempt {
  readonly state: string
  readonly nonce: string
  /** Of PKCE (RFC 7636). */
  readonly verifier: string
}

/** Who signed in there. The address was verified by the upstream issuer. */
export interface UpstreamUser {
  /** What the upstream issuer calls the person, for ever. */
  readonly userId: string
  readonly email: string
  readonly name: string | undefined
}

export interface Connector {
  readonly id: string
  readonly name: string
  /** Where the browser is sent to. @throws CountersignError SIGN_IN_FAILED when the upstream issuer cannot be reached */
  authorizationUrl(attempt: UpstreamAttempt): Promise<URL>
  /**
   * Takes the answer that the browser brought back.
   * @param query of the callback
   * @throws CountersignError SIGN_IN_FAILED when it is not an answer to this attempt, or says that there is no verified address
   */
  identify(query: URLSearchParams, attempt: UpstreamAttempt): Promise<UpstreamUser>
}
