/** The token that Kubernetes projects into a pod as a file. */
import type { TokenSource } from '../token-source.ts'
import { noToken } from '../token-source.ts'

/** Where cosign looks for it. */
export const projectedTokenFile = '/var/run/sigstore/cosign/oidc-token'

export const projectedFileSource: TokenSource = {
  name: 'filesystem',
  title: projectedTokenFile,
  takesAudience: false,
  isOffered: ({ files }) => files.exists(projectedTokenFile),
  async fetch({ files }) {
    const token = (await files.read(projectedTokenFile)).trim()
    if (token === '') throw noToken(`${projectedTokenFile} holds no identity token`)
    return token
  },
}
