import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { describe, expect, it } from 'vitest'
import type { SigningOptions } from '../../support/universe/universe.ts'
import { namedKey, signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'
import { verifySigned } from '../../support/universe/verification.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('skipped: openssl is not installed')

// sigstore-js knows the spelling bundle.v0.N+json for version 0.3 only.
const shapes: readonly (readonly [string, SigningOptions])[] = [
  ['version 0.1', { version: '0.1', oldMediaType: true }],
  ['version 0.2', { version: '0.2', oldMediaType: true }],
  ['version 0.3', {}],
  ['the old spelling of the media type', { oldMediaType: true }],
  ['a timestamp beside the promise', { timestamps: [{}] }],
  ['a Rekor v2 entry', { log: 'v2' }],
  ['a P-384 key', { key: namedKey('signer', 'p384') }],
]

/** What sigstore-js 3 has no code for: entries of the envelope's digest, and SHA-384 in envelopes. sigstore-go has. */
const beyondTheOracle = new Set(['a Rekor v2 entry attestation', 'a P-384 key attestation'])

describe('a bundle of the universe', () => {
  for (const [what, options] of shapes) {
    for (const [kind, sign] of [
      ['signature', signBlob],
      ['attestation', signStatement],
    ] as const) {
      it(`with ${what}, a ${kind}, verifies here`, () => {
        expect(verifySigned(sign(options)).logEntries).toHaveLength(1)
      })

      if (beyondTheOracle.has(`${what} ${kind}`)) continue
      it(`with ${what}, a ${kind}, verifies with sigstore-js, the oracle`, () => {
        const signed = sign(options)
        const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(signed.universe.trustedRoot())))
        const verifier = new Verifier(trust, { tlogThreshold: 1, ctlogThreshold: 1 })
        const entity = toSignedEntity(bundleFromJSON(signed.bundle), kind === 'signature' ? Buffer.from(signed.artifact) : undefined)
        expect(() => verifier.verify(entity)).not.toThrow()
      })
    }
  }

  it.skipIf(!hasOpenssl)('has certificates and timestamps that openssl accepts', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-universe-'))
    try {
      const file = (name: string, contents: Uint8Array | string): string => {
        writeFileSync(path.join(folder, name), contents)
        return path.join(folder, name)
      }
      const { universe, certificate, tokens, signature } = signBlob({ log: 'v2' })
      const text = execFileSync('openssl', ['x509', '-inform', 'der', '-noout', '-text', '-in', file('leaf.der', certificate)], {
        encoding: 'utf8',
      })
      expect(text).toContain('Code Signing')
      expect(text).toContain('CT Precertificate SCTs')
      const pem = (name: string, der: Uint8Array): string =>
        execFileSync('openssl', ['x509', '-inform', 'der', '-in', file(`${name}.der`, der), '-out', path.join(folder, `${name}.pem`)]) &&
        path.join(folder, `${name}.pem`)
      const words = ['ts', '-verify', '-data', file('signature', signature), '-in', file('token.tsr', tokens[0] ?? new Uint8Array(0))]
      const output = execFileSync(
        'openssl',
        [...words, '-CAfile', pem('root', universe.timestampRoot.der), '-untrusted', pem('tsa', universe.timestampLeaf.der)],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      expect(output).toContain('Verification: OK')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('is refused by a trusted root of another universe', () => {
    const other = universeOf({ name: 'other' })
    expect(() => verifySigned({ ...signBlob(), universe: other })).toThrow('not enough verified log entries')
  })
})
