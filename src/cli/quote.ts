/** Text of unknown origin, made fit for a terminal and for a message of one line. */

const LONGEST_QUOTED = 80

/** The text in double quotes as Go's `%q` writes it, cut after 80 characters. */
export function quote(text: string): string {
  // The expressions are made here because every start of the program would have to look up their Unicode properties.
  const unquotable = /["\\\p{C}\p{Zl}\p{Zp}]/gu
  return `"${shorten(text).replace(unquotable, escapeAsGo)}"`
}

/** One character in single quotes, as Go's `%q` writes it. */
export function quoteCharacter(character: string): string {
  return `'${printable(character)}'`
}

/** The text, with everything that could move the cursor or hide other text written as an escape. Keeps line ends. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  )
}

/** As `printable`, on one line: what stands in a sentence cannot begin a line of its own. */
export function printableLine(text: string): string {
  // As nearly every text is: the Unicode properties need not be looked up.
  if (/^[ -~]*$/.test(text)) return text
  return printable(text.replaceAll(/[\n\t]/g, escapeAsGo))
}

/** The text, cut after 80 characters. */
export function shorten(text: string): string {
  return text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED)}…` : text
}

function escapeAsGo(character: string): string {
  switch (character) {
    case '\u0007':
      return '\\a'
    case '\b':
      return '\\b'
    case '\f':
      return '\\f'
    case '\n':
      return '\\n'
    case '\r':
      return '\\r'
    case '\t':
      return '\\t'
    case '\v':
      return '\\v'
    case '"':
    case '\\':
      return `\\${character}`
    default:
      return escapeCharacter(character)
  }
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}
