import { describe, expect, it } from 'vitest'
import type { Claims } from '../../../../src/server/ca/claim-template.ts'
import { compileClaimTemplate } from '../../../../src/server/ca/claim-template.ts'

const render = (source: string, claims: Claims = {}, defaults: Claims = {}): string => compileClaimTemplate(source, defaults)(claims)

describe('a claim template', () => {
  it.each<[source: string, claims: Claims, text: string]>([
    ['sha', { sha: 'abc' }, 'abc'],
    ['{{ .sha }}', { sha: 'abc' }, 'abc'],
    ['{{.sha}}', { sha: 'abc' }, 'abc'],
    ['a{{.x}}b{{.y}}c', { x: '1', y: '2' }, 'a1b2c'],
    ['https://{{ .host }}/{{ .path }}', { host: 'h', path: 'p/q' }, 'https://h/p/q'],
    ['{{ index . "oidc.circleci.com/vcs-ref" }}', { 'oidc.circleci.com/vcs-ref': 'refs/heads/main' }, 'refs/heads/main'],
    ['{{(index . "a/b")}}', { 'a/b': 'x' }, 'x'],
    ['{{ index  .   "a  b" }}', { 'a  b': 'two blanks stay' }, 'two blanks stay'],
    ['{{ (.a) }}', { a: 'x' }, 'x'],
    ['refs/{{if eq .t "branch"}}heads/{{ else }}tags/{{end}}{{ .ref }}', { t: 'branch', ref: 'main' }, 'refs/heads/main'],
    ['refs/{{if eq .t "branch"}}heads/{{ else }}tags/{{end}}{{ .ref }}', { t: 'tag', ref: 'v1' }, 'refs/tags/v1'],
    ['{{if eq (index . "a/b") "true"}}yes{{ else }}""{{end}}', { 'a/b': 'true' }, 'yes'],
    ['{{if eq (index . "a/b") "true"}}yes{{ else }}""{{end}}', { 'a/b': 'false' }, '""'],
    ['{{if eq .a "x"}}yes{{end}}', { a: 'y' }, ''],
    ['{{if .a}}some{{else}}none{{end}}', { a: '' }, 'none'],
    ['{{if .a}}some{{else}}none{{end}}', { a: 'x' }, 'some'],
    ['{{if eq .a "1"}}{{if eq .b "2"}}both{{else}}a{{end}}{{else}}neither{{end}}', { a: '1', b: '2' }, 'both'],
    ['{{if eq .a "1"}}{{if eq .b "2"}}both{{else}}a{{end}}{{else}}neither{{end}}', { a: '1', b: '3' }, 'a'],
    ['{{if eq .a "1"}}{{if eq .b "2"}}both{{else}}a{{end}}{{else}}neither{{end}}', { a: '2', b: '2' }, 'neither'],
    ['}}{ {{.a}} }', { a: 'x' }, '}}{ x }'],
  ])('%s of %o is %s', (source, claims, text) => {
    expect(render(source, claims)).toBe(text)
  })

  it('takes a default where the token has no such claim, and the claim where it has', () => {
    expect(render('{{ .url }}', {}, { url: 'https://default' })).toBe('https://default')
    expect(render('{{ .url }}', { url: 'https://claimed' }, { url: 'https://default' })).toBe('https://claimed')
    expect(render('environment', {}, { environment: '' })).toBe('')
  })

  it('does not look into what a claim says for templates', () => {
    expect(render('{{ .a }}', { a: '{{ .secret }}', secret: 's' })).toBe('{{ .secret }}')
  })

  it.each(['sha', '{{ .sha }}', '{{ index . "sha" }}', '{{ if .sha }}x{{ end }}', '{{ if eq .sha "a" }}x{{ end }}'])(
    '%s refuses a token without the claim',
    (source) => {
      expect(() => render(source)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }) as Error)
    },
  )

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('%s is no claim unless the token has it', (name) => {
    expect(() => render(name)).toThrow('no claim')
    expect(() => render(`{{ .${name} }}`)).toThrow('no claim')
  })

  it('does not ask for the claims of a branch that is not taken', () => {
    expect(render('{{ if eq .a "1" }}{{ .missing }}{{ else }}ok{{ end }}', { a: '2' })).toBe('ok')
  })

  it.each([
    ['', 'empty'],
    ['{{ .a', 'never closed'],
    ['{{ a }}', 'not understood'],
    ['{{ }}', 'not understood'],
    ['{{ . }}', 'not understood'],
    ['{{ .a.b }}', 'not understood'],
    ['{{ .a | printf "%s" }}', 'not understood'],
    ['{{ printf "%s" .a }}', 'not understood'],
    ['{{ range .a }}x{{ end }}', 'not understood'],
    ['{{ with .a }}x{{ end }}', 'not understood'],
    ['{{ template "x" }}', 'not understood'],
    ['{{ $x := .a }}', 'not understood'],
    ['{{- .a -}}', 'not understood'],
    ['{{/* comment */}}', 'not understood'],
    ['{{ "text" }}', 'not understood'],
    ['{{ ((.a)) }}', 'not understood'],
    ['{{ index . a }}', 'not understood'],
    ['{{ index . "a" "b" }}', 'not understood'],
    ['{{ index .a "b" }}', 'not understood'],
    ['{{ index . "a\\"b" }}', 'not understood'],
    ['{{ if eq .a .b }}x{{ end }}', 'not understood'],
    ['{{ if ne .a "b" }}x{{ end }}', 'not understood'],
    ['{{ if and .a .b }}x{{ end }}', 'not understood'],
    ['{{ if eq .a "1" "2" }}x{{ end }}', 'not understood'],
    ['{{ if not .a }}x{{ end }}', 'not understood'],
    ['{{ if }}x{{ end }}', 'not understood'],
    ['{{ if .a }}x', 'no end'],
    ['{{ if .a }}x{{ else }}y', 'no end'],
    ['{{ if .a }}x{{ else }}y{{ else }}z{{ end }}', 'no end'],
    ['{{ if .a }}x{{ else if .b }}y{{ end }}', 'not understood'],
    ['x{{ end }}', 'without an if'],
    ['x{{ else }}y', 'without an if'],
    [`{{ .a }}${'x'.repeat(5_000)}`, '4096'],
  ])('%s is refused when the configuration is read: %s', (source, reason) => {
    expect(() => compileClaimTemplate(source, {})).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining(reason) as string }) as Error,
    )
  })
})
