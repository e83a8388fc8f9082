import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { CountersignError } from '../../../src/error.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { Mutation } from '../../support/universe/mutate.ts'
import { mutationsOf } from '../../support/universe/mutate.ts'
import { signBlob, signStatement } from '../../support/universe/universe.ts'
import { verifySigned } from '../../support/universe/verification.ts'

const signed = signBlob({ timestamps: [{}] })
const other = signStatement({ log: 'both' })
const mutations = [...mutationsOf(signed.bundle, 1, other.bundle)]

function named(part: string): Mutation[] {
  return mutations.filter(({ name }) => name.includes(part))
}

describe('mutations of a bundle', () => {
  it('are hundreds, and touch every place', () => {
    expect(mutations.length).toBeGreaterThan(300)
    for (const place of ['mediaType', 'messageSignature.signature', 'verificationMaterial.certificate.rawBytes']) {
      expect(named(`${place}: dropped`)).toHaveLength(1)
    }
    const entry = 'verificationMaterial.tlogEntries.0'
    expect(named(`${entry}.inclusionProof.hashes.2: dropped`)).toHaveLength(1)
    expect(named(`${entry}.inclusionProof.checkpoint.envelope: line 0 dropped`)).toHaveLength(1)
    expect(named(`${entry}.logIndex: one more`)).toHaveLength(1)
    expect(named(`${entry}.canonicalizedBody: a bit of byte`)).toHaveLength(4)
  })

  it('all change something, and never the bundle they are made of', () => {
    expect(JSON.stringify(signed.bundle)).toBe(signed.json)
    for (const { name, bundle } of mutations) expect(JSON.stringify(bundle), name).not.toBe(signed.json)
  })

  it('are the same for the same seed, and others for another one', () => {
    const texts = (seed: number): string[] => [...mutationsOf(signed.bundle, seed)].map(({ name, bundle }) => name + JSON.stringify(bundle))
    expect(texts(7)).toEqual(texts(7))
    expect(texts(7)).not.toEqual(texts(8))
  })

  it('swap what is of one type', () => {
    const swaps = named('swapped with')
    expect(swaps.length).toBeGreaterThan(10)
    for (const { name, bundle } of swaps) expect(JSON.stringify(bundle).length, name).toBe(signed.json.length)
  })

  it('put in what another bundle has in the same place, where it differs', () => {
    expect(named("verificationMaterial.certificate.rawBytes: another bundle's")).toHaveLength(1)
    expect(named("verificationMaterial.tlogEntries: another bundle's")).toHaveLength(1)
    expect(named("mediaType: another bundle's")).toHaveLength(0)
    expect(named("messageSignature: another bundle's")).toHaveLength(0)
    expect([...mutationsOf(signed.bundle)].filter(({ name }) => name.includes('another bundle'))).toHaveLength(0)
  })

  it('do nothing to an empty bundle', () => {
    expect([...mutationsOf({})]).toEqual([])
    expect([...mutationsOf({ number: 5 })].map(({ name }) => name)).toEqual(['number: dropped', 'number: null'])
  })

  it('are each refused with an error of ours, or mean the same', () => {
    const trust = loadTrustMaterial(signed.universe.trustedRoot())
    let refused = 0
    for (const { name, bundle } of mutations) {
      try {
        verifySigned(signed, { bundle, trust })
      } catch (error) {
        expect(error, name).toBeInstanceOf(CountersignError)
        refused += 1
        continue
      }
      expect(parseBundle(JSON.stringify(bundle)).content, name).toMatchObject({ signature: signed.signature })
    }
    expect(refused).toBeGreaterThan(mutations.length * 0.9)
  })
})
