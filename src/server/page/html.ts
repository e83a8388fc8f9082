/** HTML as a value that is safe by construction: whatever is put into a template is text, unless it came out of one. */

/** Markup. Only `html` and `joinHtml` make it. */
export interface Html {
  readonly markup: string
}

/** What a template takes: text and numbers are escaped, markup is not, nothing is nothing. */
export type HtmlPart = Html | string | number | undefined | readonly Html[]

const made = new WeakSet<Html>()

/** A template. Attributes must be written in double quotes. */
export function html(literals: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let markup = literals[0] ?? ''
  parts.forEach((part, at) => (markup += markupOf(part) + (literals[at + 1] ?? '')))
  return markedSafe(markup)
}

/** Text as HTML has it, within elements and within attributes in quotes. Control characters are shown, not obeyed. */
export function escapeHtml(text: string): string {
  return text.toWellFormed().replaceAll(/[&<>"'`]|[^\P{C}\t\n]/gu, (character) => entities[character] ?? '\uFFFD')
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }

function markupOf(part: HtmlPart): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  if (!('markup' in part)) return part.map(markupOf).join('')
  // An object that merely looks like markup, such as parsed JSON, is shown as the text it holds.
  return made.has(part) ? part.markup : escapeHtml(JSON.stringify(part.markup))
}

function markedSafe(markup: string): Html {
  const value: Html = { markup }
  made.add(value)
  return value
}
