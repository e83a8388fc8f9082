/** Whatever one client signs with a private Sigstore every client verifies, and none takes it for something else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Claim } from './clients.ts'
import { beginLogs, judgingClients, missingIndex, signingClients, trueClaim } from './clients.ts'
import { cell } from './matrix.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { startSigstore } from './private-sigstore.ts'

let sigstore: StartedSigstore

beforeAll(async () => {
  sigstore = await startSigstore()
})

afterAll(async () => sigstore.stop())

for (const signer of signingClients.filter(({ name }) => name === 'cosign')) {
  for (const rekor of ['v2', 'v1'] as const) {
    const made = `first blob by ${signer.name}, Rekor ${rekor}`
    describe.skipIf(signer.isMissing)(`${made}, which has the index 0`, () => {
      let claim: Claim
      beforeAll(async () => {
        claim = trueClaim(sigstore, 'blob', await signer.sign(sigstore, 'blob', rekor))
      })

      for (const judge of judgingClients) {
        const fault = judge.name === 'sigstore-python' ? missingIndex : undefined
        const outcome = fault === undefined ? 'yes' : 'its fault'
        it.skipIf(judge.isMissing)(
          `is ${fault === undefined ? 'taken' : 'not read'} by ${judge.name}`,
          cell(made, judge.name, outcome),
          async () => {
            const reason = await judge.judge(sigstore, claim)
            if (fault === undefined) expect(reason).toBeUndefined()
            else expect(reason).toMatch(fault)
          },
        )
      }
    })
  }
}

describe('later entries', () => {
  // Without cosign, nothing was signed yet.
  beforeAll(async () => beginLogs(sigstore))

  for (const signer of signingClients) {
    for (const rekor of ['v2', 'v1'] as const) {
      for (const kind of ['blob', 'attestation'] as const) {
        const made = `${kind} by ${signer.name}, Rekor ${rekor}`
        describe.skipIf(signer.isMissing)(made, () => {
          let claim: Claim
          beforeAll(async () => {
            claim = trueClaim(sigstore, kind, await signer.sign(sigstore, kind, rekor))
          })

          for (const judge of judgingClients) {
            const fault = judge.faults?.(kind, rekor)
            if (fault !== undefined) {
              it.skipIf(judge.isMissing)(`${judge.name} refuses by a fault of its own`, cell(made, judge.name, 'its fault'), async () => {
                expect(await judge.judge(sigstore, claim)).toMatch(fault)
              })
            } else {
              it.skipIf(judge.isMissing)(`${judge.name} takes it for what it is`, cell(made, judge.name), async () => {
                expect(await judge.judge(sigstore, claim)).toBeUndefined()
                const wrongs = wrongClaims(claim)
                const isFew = judge.isSlow === true && !['countersign', judge.name].includes(signer.name)
                for (const [what, wrong] of isFew ? wrongs.slice(0, 1) : wrongs) {
                  if (what === 'another artifact' && kind === 'attestation' && judge.ignoresSubjects === true) continue
                  expect([what, await judge.judge(sigstore, wrong)]).toEqual([what, expect.stringMatching(/./)])
                }
              })
            }
          }
        })
      }
    }
  }
})

/** Each false in one point. */
function wrongClaims(claim: Claim): [what: string, wrong: Claim][] {
  return [
    ['another person', { ...claim, identity: 'somebody-else@example.com' }],
    ['another artifact', { ...claim, artifact: 'another artifact\n' }],
    ['another issuer', { ...claim, issuer: 'https://issuer.example.com' }],
    ['a changed signature', { ...claim, bundle: changed(claim.bundle, 'signature') }],
    ...(claim.kind === 'attestation'
      ? [['a changed statement', { ...claim, bundle: changed(claim.bundle, 'statement') }] as [string, Claim]]
      : []),
    ['a changed checkpoint', { ...claim, bundle: changed(claim.bundle, 'checkpoint') }],
  ]
}

interface BundleJson {
  readonly messageSignature?: { signature: string }
  readonly dsseEnvelope?: { payload: string; readonly signatures: readonly { sig: string }[] }
  readonly verificationMaterial: {
    readonly tlogEntries: readonly { readonly inclusionProof: { readonly checkpoint: { envelope: string } } }[]
  }
}

/** The bundle with one bit of one signature turned, or with a statement that says something else. */
function changed(json: string, what: 'signature' | 'statement' | 'checkpoint'): string {
  const bundle = JSON.parse(json) as BundleJson
  const [entry] = bundle.verificationMaterial.tlogEntries
  const [envelopeSignature] = bundle.dsseEnvelope?.signatures ?? []
  if (what === 'checkpoint' && entry !== undefined) {
    const { checkpoint } = entry.inclusionProof
    checkpoint.envelope = checkpoint.envelope.replace(/(?<=— \S+ )\S+/, turned)
  } else if (what === 'statement' && bundle.dsseEnvelope !== undefined) {
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()
    bundle.dsseEnvelope.payload = Buffer.from(payload.replace('example.com/builder', 'example.com/another')).toString('base64')
  } else if (bundle.messageSignature !== undefined) {
    bundle.messageSignature.signature = turned(bundle.messageSignature.signature)
  } else if (envelopeSignature !== undefined) {
    envelopeSignature.sig = turned(envelopeSignature.sig)
  }
  const text = JSON.stringify(bundle)
  if (text === JSON.stringify(JSON.parse(json))) throw new Error(`the bundle has no ${what}`)
  return text
}

function turned(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return bytes.toString('base64')
}
