/** How a TLS connection is made beyond the defaults. Pass the same object again to reuse its connections. */
export interface TlsSettings {
  /** PEM certificates that replace the authorities of the environment. */
  readonly certificateAuthorities?: string
  /** PEM certificate chain that the client presents. */
  readonly clientCertificate?: string
  /** PEM private key of the client certificate. */
  readonly clientKey?: string
  /** The name that the server's certificate must be for, instead of the host's. */
  readonly serverName?: string
  /** Takes any certificate: only where a user asked for it by an "insecure" flag. */
  readonly insecure?: boolean
}
