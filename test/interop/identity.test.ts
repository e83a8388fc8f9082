/** Ambient tokens: cosign and we ask the same sources, in the same order. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { listTokenSources } from '../../src/identity/ambient-token.ts'
import { findPeer } from './peer.ts'

const cosign = findPeer('cosign')

describe.skipIf(cosign === undefined)('cosign debug providers', () => {
  it.each([
    {},
    { SIGSTORE_ID_TOKEN: 'x' },
    { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:9', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' },
    { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:9' },
    { BUILDKITE_AGENT_ACCESS_TOKEN: 'x' },
    { GOOGLE_SERVICE_ACCOUNT_NAME: 'signer@project.iam.gserviceaccount.com' },
    { SPIFFE_ENDPOINT_SOCKET: '/' },
  ])('finds what we find with %o', async (env) => {
    const { stdout } = spawnSync(cosign ?? '', ['debug', 'providers'], { env: { HOME: '/nonexistent', ...env }, encoding: 'utf8' })
    const ours = (await listTokenSources({ env })).filter(({ name }) => name !== 'circleci')
    expect(ours.map(({ name, isOffered }) => `${name}: ${isOffered}\n`).join('')).toBe(stdout)
  })
})
