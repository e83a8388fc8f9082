/** What a registry demands of those who ask: the `WWW-Authenticate` header (RFC 9110 section 11.6.1). */

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const maxHeaderLength = 8192
const schemePattern = /[\s,]*([A-Za-z][A-Za-z0-9-]*)(?:\s+|,|$)/y
const parameterPattern = /\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y

/** The challenges of a header, as far as they can be read; several may stand in one, separated by commas. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  if (header.length > maxHeaderLength) return challenges
  let at = 0
  while (at < header.length) {
    schemePattern.lastIndex = at
    const scheme = schemePattern.exec(header)
    if (scheme === null) break
    at = schemePattern.lastIndex
    const parameters: Record<string, string> = {}
    for (;;) {
      parameterPattern.lastIndex = at
      const parameter = parameterPattern.exec(header)
      if (parameter === null) break
      at = parameterPattern.lastIndex
      const [, name = '', quoted, plain = ''] = parameter
      parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1')
    }
    challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters })
  }
  return challenges
}
