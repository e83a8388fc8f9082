import { describe, expect, it } from 'vitest'
import { describeEvidence, placeInLog } from '../../../src/cli/verification/report.ts'
import { bent } from '../../support/universe/bent.ts'
import { signBlob } from '../../support/universe/universe.ts'
import type { SignedBundle } from '../../support/universe/universe.ts'
import { verifySigned } from '../../support/universe/verification.ts'

type Described = Readonly<Record<string, unknown>> & { readonly logEntries: readonly Readonly<Record<string, unknown>>[] }

/** What `-o json` prints of a bundle that verifies. */
function printed(signed: SignedBundle, bundle: object = signed.bundle): Described {
  return describeEvidence('artifact', undefined, verifySigned(signed, { bundle })) as Described
}

describe('the place of a log entry in the evidence', () => {
  it('is the index that the log promised and the one that was proven, where there are both', () => {
    expect(printed(signBlob()).logEntries).toMatchObject([{ logIndex: '1000003', treeIndex: '3', treeSize: '7' }])
  })
  it('is the promised index alone, where there is no proof', () => {
    const signed = signBlob({ version: '0.1', entry: { withProof: false } })
    const [entry] = printed(signed).logEntries
    expect(entry).toMatchObject({ logIndex: '1000003' })
    expect(entry).not.toHaveProperty('treeIndex')
    expect(entry).not.toHaveProperty('treeSize')
  })
  it('is the promised index alone, where the proof has no checkpoint and proves nothing', () => {
    const [entry] = printed(signBlob({ version: '0.1', entry: { withCheckpoint: false } })).logEntries
    expect(entry).toMatchObject({ logIndex: '1000003' })
    expect(entry).not.toHaveProperty('treeIndex')
  })
  it('is the proven index alone, where nobody has promised the other, whatever the bundle says', () => {
    const signed = signBlob({ entry: { withPromise: false }, timestamps: [{}] })
    for (const logIndex of ['1000003', '777000777', '9223372036854775807']) {
      const bundle = bent(signed.bundle, (_, { entry }) => void (entry['logIndex'] = logIndex))
      const [entry] = printed(signed, bundle).logEntries
      expect(entry).toMatchObject({ treeIndex: '3', treeSize: '7' })
      expect(entry).not.toHaveProperty('logIndex')
      expect(entry).not.toHaveProperty('integratedTime')
      expect(JSON.stringify(printed(signed, bundle).logEntries)).not.toContain(logIndex)
    }
    const [found] = verifySigned(signed).logEntries
    expect(found && placeInLog(found)).toBe('entry 3 of a shard')
  })
  it('is one and the same in Rekor v2', () => {
    const [entry] = printed(signBlob({ log: 'v2' })).logEntries
    expect(entry).toMatchObject({ logIndex: '3', treeIndex: '3', treeSize: '7' })
    expect(entry).not.toHaveProperty('integratedTime')
  })
})
