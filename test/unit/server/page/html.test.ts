import { describe, expect, test } from 'vitest'
import { escapeHtml, html } from '../../../../src/server/page/html.ts'
import { renderPage } from '../../../../src/server/page/page.ts'

describe('a template', () => {
  test('escapes text, in elements and in attributes', () => {
    const text = `<b a="1" b='2'>&\``
    expect(html`<p title="${text}">${text}</p>`.markup).toBe(
      '<p title="&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;&#96;">&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;&#96;</p>',
    )
  })

  test('keeps markup of other templates, and escapes it once', () => {
    const inner = html`<b>${'<'}</b>`
    expect(html`${inner}${[inner, inner]}${undefined}${7}`.markup).toBe('<b>&lt;</b><b>&lt;</b><b>&lt;</b>7')
  })

  test('takes no markup that was not made by a template', () => {
    expect(html`${{ markup: '<script>' }}`.markup).toBe('&quot;&lt;script&gt;&quot;')
    expect(html`${[{ markup: '<script>' }]}`.markup).not.toContain('<script>')
    expect(html`${JSON.parse('{"markup":{"toString":"<script>"}}') as { markup: string }}`.markup).not.toContain('<script>')
  })

  test('shows what would turn, hide or end text', () => {
    for (const character of ['\u202E', '\u2066', '\u200B', '\u0000', '\u001B', '\u0085', '\uFEFF', '\uE000', '\uD800']) {
      expect(escapeHtml(`a${character}b`)).toBe('a\uFFFDb')
    }
    expect(escapeHtml('a\tb\nc äß漢字 🔑')).toBe('a\tb\nc äß漢字 🔑')
  })
})

test('a page escapes its title and its links', () => {
  const document = renderPage({ title: '</title><script>', body: html``, style: '/s"', links: [{ href: '"><script>', text: '<script>' }] })
  expect(document).not.toContain('<script>')
  expect(document.startsWith('<!doctype html>')).toBe(true)
})
