/** What the browser shows at the end of a sign-in: pages that load nothing, run nothing and hold nothing secret. */
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/** A page with a status of its own. */
interface CallbackPage {
  readonly status: number
  readonly title: string
  readonly text: string
  readonly isGood?: boolean
}

const pages = {
  signedIn: { status: 200, title: 'You are signed in', text: 'You may close this window and go back to the terminal.', isGood: true },
  failed: { status: 400, title: 'The sign-in failed', text: 'Nothing was signed. The terminal says why; you may close this window.' },
  taken: { status: 409, title: 'This sign-in is over', text: 'Its answer was taken before. The terminal says how it ended.' },
  foreign: { status: 400, title: 'Not this sign-in', text: 'This is not the answer to a sign-in that was started here. It was ignored.' },
  nothing: { status: 404, title: 'Nothing is here', text: 'A program waits here for the end of a sign-in, and for nothing else.' },
} as const satisfies Readonly<Record<string, CallbackPage>>

export type CallbackPageName = keyof typeof pages

// Small enough to stand in the page, and alike to the pages of our own issuer.
const style = `:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#17202b;--line:#d5dbe3;--bad:#a61b1b;--bad-paper:#fdeeee;--good:#17653a;--good-paper:#e9f7ef}
@media(prefers-color-scheme:dark){:root{--paper:#0f141b;--card:#18202a;--ink:#e9eef5;--line:#2e3a48;--bad:#ffb1ab;--bad-paper:#3a1d1f;--good:#9be2b8;--good-paper:#15301f}}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header{padding:1.1rem 1.25rem;text-align:center;font-weight:700}
main{box-sizing:border-box;max-width:25rem;width:calc(100% - 2rem);margin:0 auto;padding:1.6rem 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.85rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .6rem}
p{margin:0;padding:.7rem .9rem;border-left:.3rem solid;border-radius:.5rem;background:var(--bad-paper);color:var(--bad)}
.good p{background:var(--good-paper);color:var(--good)}`
const styleHash = createHash('sha256').update(style).digest('base64')

/** Answers with a page; the connection ends with it. */
export function sendCallbackPage(response: ServerResponse, name: CallbackPageName): void {
  const { status, title, text, ...page }: CallbackPage = pages[name]
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; frame-ancestors 'none'; base-uri 'none'`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Countersign</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>Countersign</header>
<main${page.isGood === true ? ' class="good"' : ''}>
<h1>${title}</h1>
<p role="status">${text}</p>
</main>
</body>
</html>
`)
}
