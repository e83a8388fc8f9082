/** The token that Kubernetes projects into a pod as a file. */
import type { TokenSource } from '../token-source.ts'
import { noToken } from '../token-source.ts'

/** Where cosign looks for it. */
export const projectedTokenFile = '/var/run/sigstore/cosign/oidc-token'

export const projectedFileSource: TokenSource = {
  name: 'filesystem',
  title: projectedTokenFile,
  isOffered: async ({ readFile }) => (await readFile(projectedTokenFile)) !== undefined,
  async fetch({ readFile }) {
    const token = await readFile(projectedTokenFile)
    if (token === undefined || token.trim() === '') throw noToken(`${projectedTokenFile} holds no identity token`)
    return token.trim()
  },
}
