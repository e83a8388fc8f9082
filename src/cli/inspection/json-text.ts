/** JSON for people and programs: indented, integers exact, and safe to print on a terminal whatever the strings hold. */
import type { JsonObject, JsonValue } from '../../encoding/json.ts'
import { isJsonObject } from '../../encoding/json.ts'

/**
 * The value as JSON, indented by two spaces and without a final newline. A bigint becomes an integer of any length,
 * members that are undefined are left out, and characters that `printableLine` would escape are written as `\uXXXX`.
 */
export function formatJson(value: JsonValue): string {
  return format(value, '\n')
}

/** As `formatJson`, all in one line. */
export function formatJsonLine(value: JsonValue): string {
  if (typeof value === 'string') return formatString(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (!isJsonObject(value)) return `[${value.map(formatJsonLine).join(',')}]`
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${formatString(key)}:${formatJsonLine(member)}`)
  }
  return `{${members.join(',')}}`
}

function format(value: JsonValue, lineBreak: string): string {
  if (typeof value === 'string') return formatString(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const deeper = `${lineBreak}  `
  if (!isJsonObject(value))
    return enclose(
      '[',
      value.map((element) => format(element, deeper)),
      ']',
      lineBreak,
    )
  return enclose('{', formatMembers(value, deeper), '}', lineBreak)
}

function formatMembers(object: JsonObject, lineBreak: string): string[] {
  const members: string[] = []
  for (const [key, member] of Object.entries(object)) {
    if (member !== undefined) members.push(`${formatString(key)}: ${format(member, lineBreak)}`)
  }
  return members
}

function enclose(open: string, parts: readonly string[], close: string, lineBreak: string): string {
  return parts.length === 0 ? open + close : `${open}${lineBreak}  ${parts.join(`,${lineBreak}  `)}${lineBreak}${close}`
}

function formatString(text: string): string {
  const json = JSON.stringify(text)
  // Nearly all is ASCII, for which the tables of Unicode need not be loaded.
  return /^[ -~]*$/.test(json) ? json : json.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeUnits)
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}
