/** Signing as a library: from an artifact or a statement to a verified bundle. */
import { env as processEnvironment } from 'node:process'
import { inTotoPayloadType } from '../bundle/dsse.ts'
import { encodeBundle } from '../bundle/encode-bundle.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { parseStatement } from '../bundle/statement.ts'
import type { Signer } from '../crypto/signer.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { encodeJson } from '../encoding/json-writer.ts'
import { CountersignError } from '../error.ts'
import type { Environment } from '../http/environment.ts'
import { ambientToken } from '../identity/ambient-token.ts'
import { missingPermission } from '../identity/missing-permission.ts'
import { parseIdentityToken } from '../identity/token.ts'
import { parseSigningConfig } from '../trust/signing-config.ts'
import { emptyTrustMaterial, loadTrustMaterial } from '../trust/trust-material.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { openRepository } from '../tuf/repository.ts'
import type { Repository, RepositoryOptions } from '../tuf/repository.ts'
import { targetName } from '../tuf/trusted-root.ts'
import type { Evidence } from '../verify/evidence.ts'
import { createKeylessIdentity } from './keyless-identity.ts'
import { signContent } from './sign-content.ts'
import type { SigningIdentity } from './sign-content.ts'
import { signEnvelope, signMessage } from './signed-content.ts'
import type { Payload, SignedContent } from './signed-content.ts'
import { checkOneRoot, noServices, selectServices } from './signing-services.ts'
import type { SigningServices } from './signing-services.ts'

/** With what something is signed, and by which services. Everything has a default. */
export interface SignOptions {
  /** A key of one's own. Without it the signature is made with a certificate for an identity token. */
  readonly signer?: Signer
  /** The token, or how to get one. By default the one that the CI job or workload offers is taken; nobody is asked to sign in. */
  readonly identityToken?: string | (() => Promise<string>)
  /** JSON of the signing config; by default the one that TUF distributes. */
  readonly signingConfig?: Uint8Array | string
  /** JSON of the trusted root that the result is verified against; by default the one that TUF distributes. */
  readonly trustedRoot?: Uint8Array | string
  /** `none` makes a signature that nobody records and nobody timestamps, with a key only. */
  readonly witnesses?: 'all' | 'none'
  /** Which TUF repository, and where its cache is. */
  readonly tuf?: Omit<RepositoryOptions, 'env' | 'signal'>
  /** Default the process's environment. */
  readonly env?: Environment
  readonly signal?: AbortSignal
  /** The clock, in epoch milliseconds. */
  readonly now?: () => number
}

/** A signature that was made and verified. */
export interface SignedArtifact {
  /** The Sigstore bundle, version 0.3, as JSON: what goes into `<artifact>.sigstore.json`. */
  readonly bundle: string
  readonly entity: SignedEntity
  /** What the verification of the bundle established. */
  readonly evidence: Evidence
}

/** Signs any number of artifacts with one identity. All methods throw as `sign`. */
export interface SigningSession {
  /** Signs an artifact: its bytes, or a stream of them. */
  sign(artifact: Payload): Promise<SignedArtifact>
  /**
   * Signs an in-toto statement in a DSSE envelope: its JSON, byte for byte, or an object.
   * @throws DecodingError STATEMENT_INVALID, JSON_INVALID
   */
  signStatement(statement: Uint8Array | string | object): Promise<SignedArtifact>
}

/**
 * Signs an artifact. The bundle was verified when this resolves.
 * @throws CountersignError: TOKEN_INVALID or SIGN_IN_FAILED without a usable token; SERVICE_REFUSED, SIGNING_CONFIG_INVALID; the
 * code of the check that failed when what a service answered must not be trusted; TransportError
 */
export async function sign(artifact: Payload, options: SignOptions = {}): Promise<SignedArtifact> {
  const session = await createSigningSession(options)
  return session.sign(artifact)
}

/** Loads what signing needs, once for several signatures. @throws as `sign` */
export async function createSigningSession(options: SignOptions = {}): Promise<SigningSession> {
  const { env = processEnvironment, now = Date.now, signal } = options
  const { services, trust } = await loadMaterial(options, env, now)
  const identify = identitySource(options, env, now, services, trust)
  const complete = async (make: (signer: Signer) => Promise<SignedContent>): Promise<SignedArtifact> => {
    const result = await signContent(await identify(), make, {
      services,
      trust,
      env,
      now: now(),
      ...(signal === undefined ? {} : { signal }),
    })
    return { bundle: encodeBundle(result.entity), ...result }
  }
  return {
    sign: (artifact) => complete((signer) => signMessage(artifact, signer)),
    async signStatement(statement) {
      const payload = statementBytes(statement)
      parseStatement(payload)
      return complete((signer) => signEnvelope(payload, inTotoPayloadType, signer))
    },
  }
}

function statementBytes(statement: Uint8Array | string | object): Uint8Array {
  if (statement instanceof Uint8Array) return statement
  return encodeUtf8(typeof statement === 'string' ? statement : encodeJson(statement))
}

async function loadMaterial(
  options: SignOptions,
  env: Environment,
  now: () => number,
): Promise<{ readonly services: SigningServices; readonly trust: TrustMaterial }> {
  const { signer, witnesses, signal, tuf } = options
  if (signer !== undefined && witnesses === 'none') return { services: noServices, trust: emptyTrustMaterial }
  let repository: Promise<Repository> | undefined
  const target = async (name: string): Promise<Uint8Array> => {
    repository ??= openRepository({ ...tuf, env, now: now(), ...(signal === undefined ? {} : { signal }) })
    return (await repository).target(name)
  }
  const config = parseSigningConfig(options.signingConfig ?? (await target(targetName.signingConfig)))
  const trust = loadTrustMaterial(options.trustedRoot ?? (await target(targetName.trustedRoot)))
  checkOneRoot(trust)
  const isWitnessed = witnesses !== 'none'
  return { services: selectServices(config, now(), { certificate: signer === undefined, log: isWitnessed, timestamp: isWitnessed }), trust }
}

function identitySource(
  options: SignOptions,
  env: Environment,
  now: () => number,
  { certificateAuthority }: SigningServices,
  trust: TrustMaterial,
): () => Promise<SigningIdentity> {
  const { signer, signal } = options
  if (signer !== undefined) return () => Promise.resolve({ signer, certificate: undefined })
  return createKeylessIdentity({
    url: certificateAuthority ?? '',
    trust,
    env,
    now,
    ...(signal === undefined ? {} : { signal }),
    token: async () => parseIdentityToken(await tokenOf(options, env), now()),
  })
}

async function tokenOf({ identityToken, signal }: SignOptions, env: Environment): Promise<string> {
  if (typeof identityToken === 'string') return identityToken
  if (identityToken !== undefined) return identityToken()
  const token = await ambientToken({ env, ...(signal === undefined ? {} : { signal }) })
  if (token !== undefined) return token
  throw new CountersignError(
    'SIGN_IN_FAILED',
    missingPermission(env) ?? 'there is no identity token here: give one as identityToken, or a key as signer',
  )
}
