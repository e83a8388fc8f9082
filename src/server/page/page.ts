/** A whole page: its frame and the headers that keep it from being abused. */
import type { Html } from './html.ts'
import { html } from './html.ts'
import { styleVersion } from './style.ts'

export interface Page {
  readonly title: string
  readonly body: Html
  /** Where the style sheet is, by path: `/style.css`. */
  readonly style: string
  /** A reading page instead of a card in the middle. */
  readonly wide?: boolean
  /** Links at the top. */
  readonly links?: readonly { readonly href: string; readonly text: string }[]
  readonly footer?: Html
}

export interface PageResponse {
  readonly status?: number
  /** Origins beside our own that a form of the page may lead to, through redirects too. */
  readonly formTargets?: readonly string[]
  /** Default `no-store`: most pages are about one person. */
  readonly cacheControl?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The page as an answer. It runs no script, loads nothing but our style sheet, and stands in no frame. */
export function answerPage(
  page: Page,
  { status = 200, formTargets = [], cacheControl = 'no-store', headers = {} }: PageResponse = {},
): Response {
  return new Response(renderPage(page), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(formTargets),
      'cache-control': cacheControl,
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      // Not `no-referrer`, with which browsers send `Origin: null` with our own forms.
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
      ...headers,
    },
  })
}

/** The document of a page. */
export function renderPage({ title, body, style, wide = false, links = [], footer }: Page): string {
  const nav =
    links.length === 0
      ? undefined
      : html`<nav aria-label="Site">${links.map(({ href, text }) => html`<a href="${href}">${text}</a>`)}</nav>`
  return html`<!doctype html>
    <html lang="en" class="${wide ? 'wide' : 'narrow'}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title} · Countersign</title>
        <link rel="stylesheet" href="${style}?v=${styleVersion}" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="masthead"><strong>Countersign</strong>${nav}</header>
        <main id="content">${body}</main>
        <footer>${footer}</footer>
      </body>
    </html>`.markup
}

function contentSecurityPolicy(formTargets: readonly string[]): string {
  // Browsers apply form-action to where a form's answer redirects to as well.
  const targets = formTargets.filter((target) => /^https?:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?$/.test(target))
  return [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    `form-action ${["'self'", ...targets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}
