/** Sigstore clients as signers and as verifiers of the same things, each used as its users use it. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle'
import { SigningConfig, TrustedRoot } from '@sigstore/protobuf-specs'
import { bundleBuilderFromSigningConfig } from '@sigstore/sign'
import { toSignedEntity, toTrustMaterial, Verifier as SigstoreJsVerifier } from '@sigstore/verify'
import type { Ending } from '../peer.ts'
import { findPeer } from '../peer.ts'
import type { ProgramOptions, StartedSigstore } from './private-sigstore.ts'
import { machineEmail } from './private-sigstore.ts'

export type Kind = 'blob' | 'attestation'
export type Rekor = 'v1' | 'v2'

/** What everybody signs: a blob, or the statement about it. */
export const artifact = 'an artifact\n'
const predicate = {
  buildDefinition: { buildType: 'https://example.com/build', externalParameters: {} },
  runDetails: { builder: { id: 'https://example.com/builder' } },
}
/** An in-toto statement about the artifact. */
export const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'artifact', digest: { sha256: createHash('sha256').update(artifact).digest('hex') } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate,
}

/** A client that signs with the machine's token. */
export interface SigningClient {
  readonly name: string
  readonly isMissing: boolean
  /** @returns the bundle, JSON @throws Error with what the client said */
  sign(sigstore: StartedSigstore, kind: Kind, rekor: Rekor): Promise<string>
}

/** What a client is asked to verify. */
export interface Claim {
  readonly kind: Kind
  readonly bundle: string
  readonly artifact: string
  readonly identity: string
  readonly issuer: string
}

/** A client that verifies with the trust that the server exported. */
export interface JudgingClient {
  readonly name: string
  readonly isMissing: boolean
  /** It takes most of a second: every false claim is put to it about its own signatures and ours only. */
  readonly isSlow?: boolean
  /** It does not compare an attestation's subjects with an artifact: that is left to its user. */
  readonly ignoresSubjects?: boolean
  /** What it says where it refuses by a fault of its own. */
  readonly faults?: (kind: Kind, rekor: Rekor) => RegExp | undefined
  /** @returns why it refuses, or undefined where it accepts */
  judge(sigstore: StartedSigstore, claim: Claim): Promise<string | undefined>
}

export const cosign = findPeer('cosign')
export const sigstorePython = findPeer('sigstore-python')
const sigstoreGo = findPeer('sigstore-go-conformance', 'conformance')

const countersign: SigningClient = {
  name: 'countersign',
  isMissing: false,
  sign: (sigstore, kind, rekor) => signAsCosign(sigstore, kind, rekor, (words, options) => sigstore.countersign(words, options)),
}

export const signingClients: readonly SigningClient[] = [
  {
    name: 'cosign',
    isMissing: cosign === undefined,
    sign: (sigstore, kind, rekor) => signAsCosign(sigstore, kind, rekor, (words, options) => sigstore.run(cosign ?? '', words, options)),
  },
  countersign,
  {
    name: 'sigstore-python',
    isMissing: sigstorePython === undefined,
    sign: async (sigstore, kind, rekor) => {
      const about = ['--predicate', sigstore.write('predicate', JSON.stringify(predicate)), '--predicate-type', statement.predicateType]
      const words = [...(kind === 'blob' ? ['sign'] : ['attest', ...about]), '--identity-token', await sigstore.token()]
      const version = ['--rekor-version', rekor === 'v1' ? '1' : '2', '--overwrite']
      const trust = ['--trust-config', sigstore.trust('client_trust_config.json')]
      return made(sigstore, (file) =>
        sigstore.run(sigstorePython ?? '', [...trust, ...words, ...version, '--bundle', file, sigstore.write('artifact', artifact)]),
      )
    },
  },
  {
    name: 'sigstore-js',
    isMissing: false,
    sign: async (sigstore, kind, rekor) => {
      const builder = bundleBuilderFromSigningConfig({
        signingConfig: SigningConfig.fromJSON(JSON.parse(readFileSync(sigstore.path(signingConfig(sigstore, rekor)), 'utf8'))),
        identityProvider: { getToken: () => sigstore.token() },
        bundleType: kind === 'blob' ? 'messageSignature' : 'dsseEnvelope',
        fetchOptions: { timeout: 20_000, retry: 0 },
      })
      const [data, type] = kind === 'blob' ? [artifact] : [JSON.stringify(statement), 'application/vnd.in-toto+json']
      return JSON.stringify(bundleToJSON(await builder.create({ data: Buffer.from(data), ...(type !== undefined && { type }) })))
    },
  },
]

export const judgingClients: readonly JudgingClient[] = [
  {
    name: 'cosign',
    isMissing: cosign === undefined,
    judge: async (sigstore, claim) => refusal(await sigstore.run(cosign ?? '', verifyWords(sigstore, claim))),
  },
  {
    name: 'countersign',
    isMissing: false,
    judge: async (sigstore, claim) => refusal(await sigstore.countersign(verifyWords(sigstore, claim))),
  },
  {
    name: 'sigstore-python',
    isMissing: sigstorePython === undefined,
    isSlow: true,
    judge: async (sigstore, { bundle, artifact: contents, identity, issuer }) => {
      const trust = ['--trust-config', sigstore.trust('client_trust_config.json')]
      const who = ['--cert-identity', identity, '--cert-oidc-issuer', issuer]
      const files = ['--bundle', sigstore.write('judged.json', bundle), sigstore.write('judged', contents)]
      return refusal(await sigstore.run(sigstorePython ?? '', [...trust, 'verify', 'identity', ...who, ...files]))
    },
  },
  {
    name: 'sigstore-js',
    isMissing: false,
    ignoresSubjects: true,
    // It hashes the payload where the log has the hash of what was signed; mended in @sigstore/verify 4.1, which needs Node 22.
    faults: (kind, rekor) => (kind === 'attestation' && rekor === 'v2' ? /digest mismatch/ : undefined),
    judge: (sigstore, { bundle, artifact: contents, identity, issuer }) => {
      const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(sigstore.trust('trusted_root.json'), 'utf8')))
      const verifier = new SigstoreJsVerifier(toTrustMaterial(root))
      const policy = { subjectAlternativeName: `^${identity.replaceAll('.', String.raw`\.`)}$`, extensions: { issuer } }
      try {
        verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle)), Buffer.from(contents)), policy)
        return Promise.resolve(undefined)
      } catch (error) {
        return Promise.resolve(String(error))
      }
    },
  },
  {
    name: 'sigstore-go',
    isMissing: sigstoreGo === undefined,
    judge: async (sigstore, { bundle, artifact: contents, identity, issuer }) => {
      const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
      const trust = ['--trusted-root', sigstore.trust('trusted_root.json')]
      const words = ['verify-bundle', '--bundle', sigstore.write('judged.json', bundle), ...who, ...trust]
      return refusal(await sigstore.run(sigstoreGo ?? '', [...words, sigstore.write('judged', contents)]))
    },
  },
]

/** Makes the first entries of both logs, whose index is 0. */
export async function beginLogs(sigstore: StartedSigstore): Promise<void> {
  for (const rekor of ['v1', 'v2'] as const) await countersign.sign(sigstore, 'blob', rekor)
}

/** By Go's rules for JSON, cosign leaves out what is zero or empty; sigstore-python takes no entry without an index. */
export const missingIndex = /logIndex\s+Field required/

/** A true claim about what was signed. */
export function trueClaim({ issuer }: StartedSigstore, kind: Kind, bundle: string): Claim {
  return { kind, bundle, artifact, identity: machineEmail, issuer }
}

type Run = (words: readonly string[], options: ProgramOptions) => Promise<Ending>

/** Signs in the words of cosign, which are ours too. */
async function signAsCosign(sigstore: StartedSigstore, kind: Kind, rekor: Rekor, run: Run): Promise<string> {
  const services = ['--signing-config', signingConfig(sigstore, rekor), '--trusted-root', sigstore.trust('trusted_root.json'), '--yes']
  const content =
    kind === 'blob'
      ? ['sign-blob', sigstore.write('artifact', artifact)]
      : ['attest-blob', '--statement', sigstore.write('statement', JSON.stringify(statement))]
  const env = { SIGSTORE_ID_TOKEN: await sigstore.token() }
  return made(sigstore, (file) => run([...content, ...services, '--bundle', file], { env }))
}

/** To verify, too. */
function verifyWords(sigstore: StartedSigstore, { kind, bundle, artifact: contents, identity, issuer }: Claim): string[] {
  const verb = kind === 'blob' ? ['verify-blob'] : ['verify-blob-attestation', '--type', 'slsaprovenance1']
  const material = ['--bundle', sigstore.write('judged.json', bundle), '--trusted-root', sigstore.trust('trusted_root.json')]
  const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
  return [...verb, ...material, ...who, sigstore.write('judged', contents)]
}

/** A file with the exported signing config, but for logs of other versions. @returns its name */
export function signingConfig(sigstore: StartedSigstore, rekor: Rekor): string {
  const config = JSON.parse(readFileSync(sigstore.trust('signing_config.v0.2.json'), 'utf8')) as {
    rekorTlogUrls: { majorApiVersion: number }[]
  }
  const rekorTlogUrls = config.rekorTlogUrls.filter(({ majorApiVersion }) => `v${majorApiVersion}` === rekor)
  return sigstore.write(`signing_config.${rekor}.json`, JSON.stringify({ ...config, rekorTlogUrls }))
}

async function made(sigstore: StartedSigstore, run: (file: string) => Promise<Ending>): Promise<string> {
  const ending = await run('made.json')
  if (ending.exitCode !== 0) throw new Error(`exit code ${ending.exitCode}: ${ending.stdout}${ending.stderr}`)
  return readFileSync(sigstore.path('made.json'), 'utf8')
}

function refusal({ exitCode, stdout, stderr }: Ending): string | undefined {
  return exitCode === 0 ? undefined : stdout + stderr
}
