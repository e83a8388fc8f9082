/** An entry of a log, in plain words and with its proof. All that it says was written by whoever made it. */
import type { FoundEntry, FoundSigner } from '../../api/search.ts'
import type { Html } from '../page/html.ts'
import { html } from '../page/html.ts'

/** Attestations can be long; the API has them whole. */
const maxBodyCharacters = 20_000

/** An item of the list. @param open whether its details are shown at once */
export function entryItem(entry: FoundEntry, open: boolean): Html {
  const { api, kind, version, loggedAt, index, origin, digest, signers, leafHash } = entry
  const time = html`<time datetime="${loggedAt}">${readableTime(loggedAt)}</time>`
  return html`<li class="card entry">
    <h2>${headline(signers)}</h2>
    <p>
      signed
      ${digest === null ? 'something that the entry does not name' : html`what has the ${algorithmName(digest.algorithm)} digest <span class="mono">${digest.value}</span>`}.
      The log took it on ${time}${api === 'rekor-v2' ? ', which is the word of the server: Rekor v2 signs no time' : ''}.
    </p>
    <dl>
      <dt>Entry</dt>
      <dd>
        number <a href="/search?by=index&amp;q=${encodeURIComponent(index)}&amp;log=${encodeURIComponent(entry.log)}">${index}</a> of the
        log <span class="mono">${origin}</span>
      </dd>
      ${signers.map(signerRows)}
      <dt>Kind</dt>
      <dd>${kind} ${version}</dd>
    </dl>
    ${proof(entry, open)}
    <details>
      <summary>The entry as it was logged</summary>
      <p class="small">Leaf hash <span class="mono">${leafHash}</span></p>
      <pre tabindex="0">${bodyText(entry.body)}</pre>
    </details>
    ${signers.map(
      ({ pem, kind: signerKind }) =>
        html`<details>
          <summary>${signerKind === 'certificate' ? 'The certificate' : 'The public key'}</summary>
          <pre tabindex="0">${pem}</pre>
        </details>`,
    )}
  </li>`
}

function headline(signers: readonly FoundSigner[]): string {
  const names = signers.flatMap(({ subjects }) => subjects.map(({ value }) => value))
  if (names.length > 0) return names.join(', ')
  return signers.length === 0 ? 'Somebody whom the entry does not name' : 'The holder of a key'
}

function signerRows({ kind, issuer, notBefore, notAfter, keyHash }: FoundSigner): Html {
  const certificate =
    kind === 'certificate'
      ? html`<dt>Who says who it was</dt>
          <dd>${issuer ?? 'the certificate does not say it'}</dd>
          <dt>Certificate</dt>
          <dd>
            ${notBefore === null || notAfter === null ? 'without a validity that can be read' : html`valid from ${readableTime(notBefore)} to ${readableTime(notAfter)}`}
          </dd>`
      : undefined
  const key =
    keyHash === null ? html`not readable` : html`<a class="mono" href="/search?by=key&amp;q=${encodeURIComponent(keyHash)}">${keyHash}</a>`
  return html`${certificate}
    <dt>Public key, SHA-256</dt>
    <dd>${key}</dd>`
}

function proof({ inclusionProof: { leafIndex, treeSize, rootHash, hashes, checkpoint } }: FoundEntry, open: boolean): Html {
  const isOpen = open ? html` open` : undefined
  return html`<details${isOpen}>
    <summary>The proof that it is in the log</summary>
    <p>
      The entry is leaf ${leafIndex} of a tree of ${treeSize}. Hashed with the ${String(hashes.length)} hashes below (RFC 6962), it gives the root hash that
      the log has signed in this checkpoint. Nothing was taken from the log, or changed in it, without breaking that.
    </p>
    <dl>
      <dt>Root hash</dt>
      <dd class="mono">${rootHash}</dd>
      <dt>Hashes</dt>
      <dd class="mono">${hashes.length === 0 ? 'none' : hashes.map((hash) => html`${hash}<br />`)}</dd>
    </dl>
    <pre tabindex="0">${checkpoint}</pre>
  </details>`
}

/** As FIPS 180-4 writes it. */
function algorithmName(algorithm: string): string {
  return algorithm.replace(/^sha(?=[0-9]{1,3}$)/i, 'SHA-')
}

/** RFC 3339 as people read it, in UTC. */
function readableTime(text: string): string {
  const instant = new Date(text)
  if (Number.isNaN(instant.getTime())) return text
  return `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function bodyText(body: string): string {
  const text = Buffer.from(body, 'base64').toString('utf8')
  return text.length > maxBodyCharacters
    ? `${text.slice(0, maxBodyCharacters)}\n… (${String(text.length - maxBodyCharacters)} characters more)`
    : text
}
