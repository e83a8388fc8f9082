/**
 * A job of GitHub Actions signs with a private Sigstore: the clients find the job's token by themselves, and the certificate says of
 * which workflow it is, so that verifiers can ask for it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ending } from '../peer.ts'
import { cosign, sigstorePython } from './clients.ts'
import { cell } from './matrix.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { startSigstore } from './private-sigstore.ts'
import type { WorkflowIssuer } from './workflow-issuer.ts'
import { job, jobIdentity, startWorkflowIssuer } from './workflow-issuer.ts'

let sigstore: StartedSigstore
let issuer: WorkflowIssuer

beforeAll(async () => {
  sigstore = await startSigstore()
  issuer = await startWorkflowIssuer()
  sigstore.write('artifact', 'an artifact\n')
  sigstore.write('other', 'another artifact\n')
  sigstore.addIssuers(`  ${issuer.url}:
    issuer-url: ${issuer.url}
    client-id: sigstore
    type: ci-provider
    ci-provider: github-workflow
`)
})

afterAll(async () => {
  await sigstore.stop()
  await issuer.stop()
})

type Sign = (env: Readonly<Record<string, string>>) => Promise<Ending>
const services = (): string[] => [
  '--signing-config',
  sigstore.trust('signing_config.v0.2.json'),
  '--trusted-root',
  sigstore.trust('trusted_root.json'),
]
const signWords = (): string[] => ['sign-blob', 'artifact', '--yes', '--bundle', 'bundle.json', ...services()]

const signers: readonly (readonly [name: string, isMissing: boolean, sign: Sign])[] = [
  ['countersign', false, (env) => sigstore.countersign(signWords(), { env })],
  ['cosign', cosign === undefined, (env) => sigstore.run(cosign ?? '', signWords(), { env })],
  [
    'sigstore-python',
    sigstorePython === undefined,
    (env) => {
      const trust = ['--trust-config', sigstore.trust('client_trust_config.json')]
      return sigstore.run(sigstorePython ?? '', [...trust, 'sign', '--overwrite', '--bundle', 'bundle.json', 'artifact'], { env })
    },
  ],
]

const workflow = [
  ['name', job.workflow],
  ['ref', job.ref],
  ['repository', job.repository],
  ['sha', job.sha],
  ['trigger', job.event_name],
] as const

const verifiers: readonly (readonly [name: string, isMissing: boolean, verify: (words: readonly string[]) => Promise<Ending>])[] = [
  ['countersign', false, (words) => sigstore.countersign(words)],
  ['cosign', cosign === undefined, (words) => sigstore.run(cosign ?? '', words)],
]

for (const [signer, isMissing, sign] of signers) {
  describe.skipIf(isMissing)(`a job that signs with ${signer}`, () => {
    beforeAll(async () => {
      expect(await sign(issuer.environment)).toMatchObject({ exitCode: 0 })
    })

    for (const [verifier, verifierIsMissing, verify] of verifiers) {
      const title = `is known to ${verifier} by its workflow, and not by another`
      it.skipIf(verifierIsMissing)(title, cell(`blob by a job with ${signer}`, verifier), async () => {
        const trust = ['--bundle', 'bundle.json', '--trusted-root', sigstore.trust('trusted_root.json')]
        const who = ['--certificate-identity', jobIdentity, '--certificate-oidc-issuer', issuer.url]
        const claims = workflow.flatMap(([claim, value]) => [`--certificate-github-workflow-${claim}`, value])
        expect((await verify(['verify-blob', 'artifact', ...trust, ...who, ...claims])).stderr).toContain('Verified OK\n')
        expect((await verify(['verify-blob', 'other', ...trust, ...who, ...claims])).exitCode).toBe(1)
        const another = ['--certificate-identity', jobIdentity.replace('octo/app', 'octo/fork'), '--certificate-oidc-issuer', issuer.url]
        expect((await verify(['verify-blob', 'artifact', ...trust, ...another])).exitCode).toBe(1)
        for (const [claim] of workflow) {
          const words = ['verify-blob', 'artifact', ...trust, ...who, `--certificate-github-workflow-${claim}`, 'another']
          expect([claim, (await verify(words)).exitCode]).toEqual([claim, 1])
        }
      })
    }
  })
}

describe('a token that is not for the server', () => {
  const refusals: readonly (readonly [what: string, token: () => string])[] = [
    ['of another audience', () => issuer.token({ aud: 'somebody-else' })],
    ['that expired', () => issuer.token({ exp: Math.floor(Date.now() / 1000) - 3_600 })],
    ['of an issuer that nobody named', () => issuer.token({ iss: 'https://token.actions.githubusercontent.com' })],
    ['without its workflow', () => issuer.token({ job_workflow_ref: undefined })],
  ]
  for (const [signer, isMissing, sign] of signers.slice(0, 2)) {
    it.skipIf(isMissing).each(refusals)(`%s gets ${signer} no certificate`, async (_, token) => {
      const ending = await sign({ SIGSTORE_ID_TOKEN: token() })
      expect(ending.exitCode).toBe(1)
      expect(ending.stderr).toMatch(/There was an error processing the identity token|expired/)
    })
  }
})
