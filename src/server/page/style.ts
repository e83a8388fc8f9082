/** The style sheet of every page: one column, the system's fonts, light and dark, nothing fetched from elsewhere. */
import { createHash } from 'node:crypto'

const text = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #17202b; --soft: #566273; --line: #d5dbe3; --field: #7d8898;
  --accent: #1d4fd7; --accent-ink: #ffffff; --accent-deep: #173fae; --bad: #a61b1b; --bad-paper: #fdeeee; --good: #17653a; --good-paper: #e9f7ef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f141b; --card: #18202a; --ink: #e9eef5; --soft: #a7b3c2; --line: #2e3a48; --field: #77869a;
    --accent: #8fb0ff; --accent-ink: #0c1524; --accent-deep: #b3c9ff; --bad: #ffb1ab; --bad-paper: #3a1d1f; --good: #9be2b8; --good-paper: #15301f;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
a { color: var(--accent); text-underline-offset: .18em; }
a:hover { color: var(--accent-deep); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .3rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
.masthead { padding: 1.1rem 1.25rem; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; justify-content: center; }
.masthead strong { font-size: 1.05rem; letter-spacing: .01em; }
.masthead a { text-decoration: none; color: inherit; }
.masthead nav a { color: var(--soft); text-decoration: underline; }
.masthead nav a + a { margin-left: 1rem; }
.wide .masthead { justify-content: space-between; width: 100%; max-width: 60rem; margin: 0 auto; }
main { width: 100%; max-width: 27rem; margin: 0 auto; padding: 0 1rem 2rem; flex: 1; }
.wide main { max-width: 60rem; padding: 0 1.25rem 3rem; }
footer { padding: 1rem 1.25rem 1.5rem; color: var(--soft); font-size: .875rem; text-align: center; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .85rem; padding: 1.6rem 1.5rem; box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 8px 24px rgb(0 0 0 / .05); }
.card + .card { margin-top: 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .6rem; letter-spacing: -.012em; text-wrap: balance; }
.wide h1 { font-size: 1.85rem; margin-top: .5rem; }
h2 { font-size: 1.12rem; line-height: 1.35; margin: 1.8rem 0 .5rem; }
.card > h2:first-child { margin-top: 0; }
.card > :last-child, .card > :last-child > :last-child { margin-bottom: 0; }
p { margin: 0 0 .9rem; }
.lead { color: var(--soft); }
.small { font-size: .875rem; color: var(--soft); }
form + .small { margin-top: 1rem; }
label { display: block; font-weight: 600; margin: 1rem 0 .3rem; }
input[type=text], input[type=email], input[type=password], input[type=search], select {
  width: 100%; min-height: 2.9rem; padding: .55rem .75rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--field); border-radius: .5rem;
}
input:focus-visible, select:focus-visible { outline-offset: 0; border-color: var(--accent); }
input[aria-invalid=true] { border-color: var(--bad); }
button, .button {
  display: block; width: 100%; min-height: 2.9rem; margin-top: 1.2rem; padding: .6rem 1rem; border: 1px solid transparent; border-radius: .5rem;
  background: var(--accent); color: var(--accent-ink); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
  overflow-wrap: anywhere;
}
button:hover, .button:hover { background: var(--accent-deep); color: var(--accent-ink); }
button.plain, .button.plain { background: transparent; color: var(--ink); border-color: var(--field); margin-top: .75rem; }
button.plain:hover, .button.plain:hover { border-color: var(--accent); color: var(--accent); }
button.quiet { background: transparent; color: var(--soft); margin-top: .75rem; font-weight: 400; text-decoration: underline; text-underline-offset: .18em; }
button.quiet:hover { color: var(--accent); }
.or { display: flex; align-items: center; gap: .8rem; margin: 1.4rem 0 .6rem; color: var(--soft); font-size: .875rem; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
.alert, .done { border-radius: .5rem; padding: .7rem .9rem; margin: 0 0 1rem; border-left: .3rem solid; }
.alert { background: var(--bad-paper); color: var(--bad); }
.done { background: var(--good-paper); color: var(--good); }
.code { font: 600 1.7rem/1.3 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: .09em; text-align: center; margin: .6rem 0 1rem; overflow-wrap: anywhere; }
.code.long { font-size: 1rem; letter-spacing: 0; padding: .8rem; border: 1px dashed var(--field); border-radius: .5rem; user-select: all; }
.who { font-weight: 650; overflow-wrap: anywhere; }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
pre { margin: 0 0 1rem; padding: .8rem 1rem; overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; line-height: 1.45; }
.mono { overflow-wrap: anywhere; }
.search { display: grid; gap: .75rem 1rem; align-items: end; }
.search label { margin-top: 0; }
.search button { margin-top: 0; }
@media (min-width: 44rem) { .search { grid-template-columns: 15.5rem 1fr 9rem; } }
dl { margin: 0; display: grid; grid-template-columns: 1fr; gap: 0 1.25rem; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0 0 .75rem; overflow-wrap: anywhere; min-width: 0; }
@media (min-width: 44rem) { dl { grid-template-columns: 10.5rem 1fr; } dt { padding-top: .1rem; font-size: .95rem; } dd { margin-bottom: .45rem; } }
pre.command { white-space: pre-wrap; overflow-wrap: anywhere; margin-top: .35rem; }
.flag { white-space: nowrap; }
ol.steps { margin: 0; padding-left: 1.3rem; }
ol.entries, ul.plain { list-style: none; margin: 1rem 0; padding: 0; }
ol.entries > li + li { margin-top: 1rem; }
.entry h2 { margin: 0 0 .25rem; overflow-wrap: anywhere; }
details { margin-top: .9rem; }
summary { cursor: pointer; color: var(--accent); }
details > *:not(summary) { margin-top: .75rem; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`.trim()

/** The style sheet. */
const styleSheet = `${text}\n`

/** Changes with the style sheet, so that what a browser kept for ever is never the wrong one. */
export const styleVersion = createHash('sha256').update(styleSheet).digest('hex').slice(0, 16)

/**
 * Answers for the style sheet.
 * @param version the one asked for
 */
export function answerStyleSheet(version: string | undefined): Response {
  const forever = version === styleVersion
  return new Response(styleSheet, {
    headers: {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': forever ? 'public, max-age=31536000, immutable' : 'no-cache',
      'x-content-type-options': 'nosniff',
    },
  })
}
