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

const style = `:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText;font:1rem/1.55 system-ui,sans-serif}
main{box-sizing:border-box;max-width:27rem;width:calc(100% - 2rem);padding:1.5rem;border:1px solid GrayText;border-left:.4rem solid #a61b1b;border-radius:.6rem}
main.good{border-left-color:#17653a}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .5rem}
p{margin:0 0 .5rem}
footer{font-size:.875rem;opacity:.8}`
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
<main${page.isGood === true ? ' class="good"' : ''}>
<h1>${title}</h1>
<p role="status">${text}</p>
<footer>Countersign</footer>
</main>
</body>
</html>
`)
}
