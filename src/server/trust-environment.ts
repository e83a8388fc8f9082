/** Files that set the environment of a shell, so that clients find a server: `env.sh` and `env.ps1`. */
import type { PublicTrust } from './public-trust.ts'

/** A variable: a text, or a file beside the one that sets it. */
type Value = string | { readonly file: string }

/** For sh, bash, dash and zsh: `. ./env.sh`. */
export function encodeShellEnvironment(trust: PublicTrust): string {
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  const lines = variablesOf(trust).map(
    ([name, value]) => `export ${name}=${typeof value === 'string' ? quote(value) : `"$countersign_trust"/${quote(value.file)}`}`,
  )
  return [
    '# Points cosign, countersign, gitsign and other Sigstore clients of this shell at one server:  . ./env.sh',
    '# The files beside this one are found from bash and zsh; in other shells, change into their folder first.',
    'countersign_trust=$(cd -- "$(dirname -- "${BASH_SOURCE:-$0}")" && pwd)',
    ...lines,
    'unset countersign_trust',
    '',
  ].join('\n')
}

/** For PowerShell: `. ./env.ps1`. */
export function encodePowerShellEnvironment(trust: PublicTrust): string {
  const quote = (text: string): string => `'${text.replaceAll(/['\u2018\u2019\u201A\u201B]/g, (mark) => mark + mark)}'`
  const lines = variablesOf(trust).map(
    ([name, value]) => `$env:${name} = ${typeof value === 'string' ? quote(value) : `Join-Path $PSScriptRoot ${quote(value.file)}`}`,
  )
  return ['# Points cosign, countersign, gitsign and other Sigstore clients of this shell at one server:  . ./env.ps1', ...lines, ''].join(
    '\n',
  )
}

function variablesOf(trust: PublicTrust): [name: string, value: Value][] {
  const [rekor] = trust.rekorV1Logs
  const [tsa] = trust.timestampAuthorities
  const [fulcio] = trust.certificateAuthorities
  const { oidcIssuer } = trust
  return [
    ['TUF_MIRROR', trust.tufUrl],
    ['TUF_ROOT_JSON', { file: 'root.json' }],
    ...optional(fulcio, ({ url }) => [
      ['GITSIGN_FULCIO_URL', url],
      ['GITSIGN_FULCIO_ROOT', { file: 'fulcio.pem' }],
    ]),
    ...optional(rekor, ({ url }) => [['GITSIGN_REKOR_URL', url]]),
    ...optional(oidcIssuer, ({ url, clientId }) => [
      ['GITSIGN_OIDC_ISSUER', url],
      ['GITSIGN_OIDC_CLIENT_ID', clientId],
    ]),
    ...optional(tsa, ({ url }) => [
      ['GITSIGN_TIMESTAMP_SERVER_URL', url],
      ['GITSIGN_TIMESTAMP_CERT_CHAIN', { file: 'tsa.pem' }],
    ]),
  ]
}

function optional<T>(value: T | undefined, variables: (value: T) => [string, Value][]): [string, Value][] {
  return value === undefined ? [] : variables(value)
}
