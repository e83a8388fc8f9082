/** One line of comma separated values, as Go's encoding/csv reads it (RFC 4180): `a,"b,c","say ""hi"""`. */
import { UsageError } from '../error.ts'

/**
 * The fields of one record.
 * @throws UsageError USAGE in the words of encoding/csv; also for a second record, which Go would drop silently
 */
export function parseCommaValues(line: string): string[] {
  const text = line.replaceAll('\r\n', '\n').replace(/^\n+|\n$/g, '')
  if (text === '') throw new UsageError('USAGE', 'EOF')
  const fields: string[] = []
  let at = 0
  for (;;) {
    const field = text[at] === '"' ? quotedField(text, at) : bareField(text, at)
    fields.push(field.value)
    if (field.end === text.length) return fields
    if (text[field.end] === '\n') throw parseError(2, 1, 'only one line is allowed')
    at = field.end + 1
  }
}

interface Field {
  readonly value: string
  /** Where the separator after the field stands, or the length of the text. */
  readonly end: number
}

function bareField(text: string, start: number): Field {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== '\n') {
    if (text[end] === '"') throw parseError(1, end + 1, 'bare " in non-quoted-field')
    end++
  }
  return { value: text.slice(start, end), end }
}

function quotedField(text: string, start: number): Field {
  let value = ''
  let from = start + 1
  for (;;) {
    const close = text.indexOf('"', from)
    if (close < 0) throw parseError(1, text.length + 1, 'extraneous or missing " in quoted-field')
    value += text.slice(from, close)
    const after = text[close + 1]
    if (after === undefined || after === ',' || after === '\n') return { value, end: close + 1 }
    if (after !== '"') throw parseError(1, close + 1, 'extraneous or missing " in quoted-field')
    value += '"'
    from = close + 2
  }
}

function parseError(line: number, column: number, reason: string): UsageError {
  return new UsageError('USAGE', `parse error on line ${line}, column ${column}: ${reason}`)
}
