/** The search page: a question, and what the logs have of it. */
import type { SearchAnswer, SearchField } from '../../api/search.ts'
import type { Html } from '../page/html.ts'
import { html } from '../page/html.ts'
import { entryItem } from './entry.ts'

interface Shown {
  /** As chosen; undefined where it is guessed. */
  readonly chosen?: SearchField | undefined
  readonly value?: string
}

const fieldNames: Readonly<Record<SearchField, string>> = {
  email: 'E-mail address',
  subject: 'Other identity',
  digest: 'Digest of a file',
  key: 'Digest of a public key',
  index: 'Number of the entry',
}

/** How a question continues "entry …". */
const fieldPhrases: Readonly<Record<SearchField, string>> = {
  email: 'of the e-mail address',
  subject: 'of the identity',
  digest: 'about the digest',
  key: 'of the public key',
  index: 'with the number',
}

/** What a text is most likely to be. */
export function guessField(value: string): SearchField {
  if (value.includes('://')) return 'subject'
  if (value.includes('@')) return 'email'
  return /^[0-9]{1,19}$/.test(value) ? 'index' : 'digest'
}

/** The form, by itself or with what is wrong with the question. */
export function searchForm({ chosen, value = '', problem }: Shown & { readonly problem?: string }): Html {
  const alert = problem === undefined ? undefined : html`<p class="alert" role="alert" id="problem">${problem}</p>`
  const options = (Object.entries(fieldNames) as [SearchField, string][]).map(
    ([field, name]) => html`<option value="${field}" ${field === chosen ? html` selected` : undefined}>${name}</option>`,
  )
  return html`<h1>Search the logs</h1>
    <p class="lead">
      Find out what was signed in a name, with a key, or over a file. The digest of a file is what <code>sha256sum</code> prints.
    </p>
    ${alert}
    <form class="card search" method="get" action="/search" role="search">
      <div>
        <label for="by">Search by</label>
        <select id="by" name="by">
          <option value="">Whatever it looks like</option>
          ${options}
        </select>
      </div>
      <div>
        <label for="q">Look for</label>
        <input
          type="search"
          id="q"
          name="q"
          value="${value}"
          required
          maxlength="2000"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          ${problem === undefined ? undefined : html` aria-invalid="true" aria-describedby="problem"`}
        />
      </div>
      <button type="submit">Search</button>
    </form>`
}

/** The form and the entries that were found. */
export function foundBody(found: Shown & { readonly field: SearchField; readonly value: string; readonly answer: SearchAnswer }): Html {
  const { entries, truncated } = found.answer
  const count = `${truncated ? 'The newest ' : ''}${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`
  return html`${searchForm(found)}
    <h2>${count} ${fieldPhrases[found.field]} <span class="mono">${found.value}</span></h2>
    ${behind(found.answer)}
    <ol class="entries">
      ${entries.map((entry) => entryItem(entry, entries.length === 1))}
    </ol>`
}

/** The form and that nothing was found. */
export function unknownBody(asked: Shown & { readonly field: SearchField; readonly value: string; readonly answer: SearchAnswer }): Html {
  const { field, value, answer } = asked
  return html`${searchForm(asked)}
    <h2>There is no entry ${fieldPhrases[field]} <span class="mono">${value}</span></h2>
    <p>
      No log of this server has such an entry. Entries are never removed: if there was one, it is in another log, or it was looked for under
      another name. ${field === 'index' ? 'Each log counts from 0.' : 'Addresses and digests are found whole, not by a part of them.'}
    </p>
    ${behind(answer)}`
}

/** What the index does not know yet. */
function behind({ logs }: SearchAnswer): Html | undefined {
  const late = logs.filter(({ size, indexed }) => BigInt(indexed) < BigInt(size))
  if (late.length === 0) return undefined
  return html`<ul class="plain small">
    ${late.map(({ origin, size, indexed }) => html`<li>The newest ${String(BigInt(size) - BigInt(indexed))} entries of <span class="mono">${origin}</span> cannot be found yet. Try again in a moment.</li>`)}
  </ul>`
}
