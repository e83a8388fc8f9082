/**
 * The part of Go's text/template that Fulcio's configuration uses: `{{.claim}}`, `{{ index . "claim" }}`, in parentheses or not, and
 * `{{ if eq … "…" }} … {{ else }} … {{ end }}`. A claim that is missing is an error, as with `missingkey=error`, also for `index`, which
 * in Go gives nothing: a name with a hole is nobody's. Everything else is refused when the configuration is read.
 */
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError } from '../../error.ts'

/** The claims of a token as texts. */
export type Claims = Readonly<Record<string, string>>

/** Gives the text for the claims. @throws CountersignError TOKEN_INVALID for a claim that the token has not */
export type ClaimTemplate = (claims: Claims) => string

type Operand = (claims: Claims) => string
type Condition = (claims: Claims) => boolean

interface Token {
  readonly kind: 'text' | 'action'
  readonly value: string
}

const maxLength = 4096
const claimName = /^\.([A-Za-z_][A-Za-z0-9_]*)$/
const indexExpression = /^index\s+\.\s+"([^"\\]{1,200})"$/
const equality = /^eq\s+(\.[A-Za-z_][A-Za-z0-9_]*|\([^()]*\))\s+"([^"\\]*)"$/

/**
 * Compiles a value of the configuration: a template, or, without braces, the name of a claim.
 * @param defaults values of claims that a token may leave out
 * @throws CountersignError CONFIGURATION_INVALID
 */
export function compileClaimTemplate(source: string, defaults: Claims): ClaimTemplate {
  if (source === '') throw invalid(source, 'it is empty')
  if (source.length > maxLength) throw invalid(source, `it has more than ${maxLength} characters`)
  if (!source.includes('{{')) return (claims) => claimOf(source, claims, defaults)
  const parser = new TemplateParser(source, defaults)
  const template = parser.sequence()
  parser.finish()
  return template
}

class TemplateParser {
  readonly #source: string
  readonly #defaults: Claims
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(source: string, defaults: Claims) {
    this.#source = source
    this.#defaults = defaults
    this.#tokens = tokenize(source)
  }

  /** What stands before `else`, `end` or the end of the text. */
  sequence(): ClaimTemplate {
    const parts: ClaimTemplate[] = []
    for (let token = this.#peek(); token !== undefined; token = this.#peek()) {
      if (token.kind === 'action' && (token.value === 'else' || token.value === 'end')) break
      this.#position++
      if (token.kind === 'text') parts.push(() => token.value)
      else if (/^if\s/.test(token.value)) parts.push(this.#branch(token.value.slice(3).trim()))
      else parts.push(this.#operand(token.value))
    }
    return (claims) => parts.map((part) => part(claims)).join('')
  }

  finish(): void {
    const rest = this.#peek()
    if (rest !== undefined) throw invalid(this.#source, `{{${rest.value}}} stands without an if`)
  }

  #branch(text: string): ClaimTemplate {
    const condition = this.#condition(text)
    const whenTrue = this.sequence()
    let whenFalse: ClaimTemplate = () => ''
    if (this.#peek()?.value === 'else') {
      this.#position++
      whenFalse = this.sequence()
    }
    if (this.#peek()?.value !== 'end') throw invalid(this.#source, 'an if has no end')
    this.#position++
    return (claims) => (condition(claims) ? whenTrue(claims) : whenFalse(claims))
  }

  /** `eq X "text"`, or an operand, which holds unless it is empty. */
  #condition(text: string): Condition {
    const equal = equality.exec(text)
    if (equal === null) {
      const operand = this.#operand(text)
      return (claims) => operand(claims) !== ''
    }
    const [, left = '', right = ''] = equal
    const operand = this.#operand(left)
    return (claims) => operand(claims) === right
  }

  #operand(text: string): Operand {
    const bare = text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1).trim() : text
    const name = claimName.exec(bare)?.[1] ?? indexExpression.exec(bare)?.[1]
    if (name === undefined) throw invalid(this.#source, `{{${excerpt(text)}}} is not understood: .claim, index . "claim", if and eq are`)
    return (claims) => claimOf(name, claims, this.#defaults)
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position]
  }
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  while (position < source.length) {
    const open = source.indexOf('{{', position)
    const text = source.slice(position, open === -1 ? undefined : open)
    if (text !== '') tokens.push({ kind: 'text', value: text })
    if (open === -1) break
    const close = source.indexOf('}}', open)
    if (close === -1) throw invalid(source, '{{ is never closed')
    tokens.push({ kind: 'action', value: source.slice(open + 2, close).trim() })
    position = close + 2
  }
  return tokens
}

function claimOf(name: string, claims: Claims, defaults: Claims): string {
  const value = (Object.hasOwn(claims, name) ? claims[name] : undefined) ?? (Object.hasOwn(defaults, name) ? defaults[name] : undefined)
  if (value === undefined)
    throw new CountersignError('TOKEN_INVALID', `the token has no claim ${name}, which its issuer's certificates are made of`)
  return value
}

function invalid(source: string, reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `the template ${excerpt(source)} cannot be used: ${reason}`)
}
