/**
 * Makes `scripts/warm-up/`: a bundle of the test universe that the build lets the program verify, so that the code it
 * needs is in V8's code cache. Run it again when formats change; what it writes is committed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { signBlob } from '../test/support/universe/universe.ts'

const signed = signBlob({ subjects: [{ email: 'warm-up@example.com' }], oidcIssuer: 'https://issuer.example.com', timestamps: [{}] })
mkdirSync('scripts/warm-up', { recursive: true })
writeFileSync('scripts/warm-up/artifact', signed.artifact)
writeFileSync('scripts/warm-up/bundle.sigstore.json', signed.json)
writeFileSync('scripts/warm-up/trusted_root.json', signed.universe.trustedRoot())
