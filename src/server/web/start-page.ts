/** The page at the root: what this server is, where its parts are, and what to type first. */
import type { Html } from '../page/html.ts'
import { html } from '../page/html.ts'

/** What a server says of itself. */
export interface ServerDescription {
  /** Scheme, host and port. */
  readonly origin: string
  /** Its parts, in the order to be shown. */
  readonly endpoints: readonly { readonly name: string; readonly url: string; readonly purpose: string }[]
  /** What to do first, in this order. */
  readonly steps: readonly { readonly purpose: string; readonly command: string }[]
}

/** What the first steps are on a server with a TUF repository. */
export function firstSteps(server: {
  readonly tufUrl: string
  /** SHA-256 of the root to start from, hexadecimal. */
  readonly rootChecksum: string
  readonly issuerUrl: string
}): ServerDescription['steps'] {
  const { tufUrl, rootChecksum, issuerUrl } = server
  return [
    {
      purpose: 'Trust this server, once on each machine',
      command: `countersign initialize --mirror ${tufUrl} --root ${tufUrl}/1.root.json --root-checksum ${rootChecksum}`,
    },
    { purpose: 'Sign a file; a browser opens to ask who you are', command: 'countersign sign-blob --bundle file.sigstore.json file' },
    {
      purpose: 'Verify it, as anyone can',
      command: `countersign verify-blob --bundle file.sigstore.json --certificate-identity you@example.com --certificate-oidc-issuer ${issuerUrl} file`,
    },
  ]
}

/** The body of the page. */
export function startBody({ origin, endpoints, steps }: ServerDescription): Html {
  return html`<h1>A private Sigstore</h1>
    <p class="lead">
      People and programs sign software here with who they are instead of with keys they have to keep. Every signature is in a public log,
      so that none is made in secret. The address of this server is <span class="mono">${origin}</span>.
    </p>
    ${steps.length === 0 ? undefined : stepList(steps)}
    <h2>Its parts</h2>
    <div class="card">
      <dl>
        ${endpoints.map(
          ({ name, url, purpose }) =>
            html`<dt>${name}</dt>
              <dd><span class="mono">${url}</span><br /><span class="small">${purpose}</span></dd>`,
        )}
      </dl>
    </div>`
}

function stepList(steps: ServerDescription['steps']): Html {
  return html`<h2>What to type first</h2>
    <div class="card">
      <p class="small">
        <code>cosign</code> takes the same words. Compare the checksum with the one that the operator of this server told you: whoever could
        change this page could change it too.
      </p>
      <ol class="steps">
        ${steps.map(
          ({ purpose, command }) =>
            html`<li>
              ${purpose}:
              <pre class="command" tabindex="0"><code>${wordsOf(command)}</code></pre>
            </li>`,
        )}
      </ol>
    </div>`
}

/** A command whose flags are not broken at their hyphens. */
function wordsOf(command: string): Html[] {
  return command.split(/(?<= )/).map((word) => (word.startsWith('--') ? html`<span class="flag">${word}</span>` : html`${word}`))
}
