/**
 * The command line of the public sigstore-conformance suite: `verify-bundle` and `sign-bundle` with their flags in a fixed
 * order. Exit status 0 means verified, or signed; anything else means refused, with the reason on standard error.
 */
import { existsSync } from 'node:fs'
import { parseBundle } from '../bundle/bundle.ts'
import { parsePublicKeyPem } from '../crypto/public-key.ts'
import { loadEd25519ph } from '../crypto/signature.ts'
import { decodeUtf8 } from '../encoding/bytes.ts'
import { UsageError, messageOf } from '../error.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import { loadTrustMaterial } from '../trust/trust-material.ts'
import { digestsNeeded, mayUseEd25519 } from '../verify/digests-needed.ts'
import type { Policy } from '../verify/policy.ts'
import { verify } from '../verify/verify.ts'
import type { CommandContext } from './context.ts'
import { loadArtifact } from './verification/artifact-input.ts'
import { readInputFile } from './verification/input-file.ts'

const maxBundleBytes = 128 * 1024 * 1024
const maxRootBytes = 4 * 1024 * 1024
const maxKeyBytes = 64 * 1024
const sha256ArgumentLength = 'sha256:'.length + 64

interface Arguments {
  readonly flags: ReadonlyMap<string, string>
  readonly staging: boolean
  readonly inToto: boolean
  readonly artifact: string
}

const valueFlags: ReadonlySet<string> = new Set([
  '--bundle',
  '--certificate-identity',
  '--certificate-oidc-issuer',
  '--identity-token',
  '--key',
  '--signing-config',
  '--trusted-root',
])

/** Runs one call of the suite and gives the exit status. */
export async function runConformance(argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    const [verb, ...rest] = argv
    if (verb === 'sign-bundle') await signBundle(parseArguments(rest), context)
    else if (verb === 'verify-bundle') await verifyBundle(parseArguments(rest), context)
    else throw new UsageError('USAGE', 'usage: conformance verify-bundle|sign-bundle --bundle FILE … FILE_OR_DIGEST')
    return 0
  } catch (error) {
    context.stderr.write(`${messageOf(error)}\n`)
    return 1
  }
}

function parseArguments(argv: readonly string[]): Arguments {
  const flags = new Map<string, string>()
  let staging = false
  let inToto = false
  let artifact: string | undefined
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--staging') {
      staging = true
    } else if (word === '--in-toto') {
      inToto = true
    } else if (valueFlags.has(word)) {
      const value = argv[++at]
      if (value === undefined || flags.has(word)) throw new UsageError('USAGE', `${word} should be given once, with a value`)
      flags.set(word, value)
    } else if (word.startsWith('--') || artifact !== undefined) {
      throw new UsageError('USAGE', `unexpected argument ${word}`)
    } else {
      artifact = word
    }
  }
  if (artifact === undefined) throw new UsageError('USAGE', 'a file or a digest was expected as the last argument')
  return { flags, staging, inToto, artifact }
}

async function verifyBundle({ flags, staging, artifact }: Arguments, context: CommandContext): Promise<void> {
  const entity = parseBundle(readInputFile(context.cwd, required(flags, '--bundle'), 'the bundle', maxBundleBytes))
  const signer = readSigner(flags, context)
  const trust = await loadTrust(flags.get('--trusted-root'), staging, context)
  const key = signer.kind === 'key' ? signer.key : undefined
  // Only a text of exactly this length that is not a file is a digest.
  const isDigest = artifact.startsWith('sha256:') && artifact.length === sha256ArgumentLength && !existsSync(artifact)
  if (mayUseEd25519(entity, key)) await loadEd25519ph()
  const loaded = await loadArtifact(context, isDigest || artifact.startsWith('/') ? artifact : `./${artifact}`, () =>
    digestsNeeded(entity, key),
  )
  verify(entity, trust, { artifact: loaded, signer })
}

async function signBundle({ flags, staging, inToto, artifact }: Arguments, context: CommandContext): Promise<void> {
  const [{ createSigningSession }, { writeOutputs }] = await Promise.all([import('../sign/sign.ts'), import('./signing/output-files.ts')])
  const file = (flag: string, what: string): Uint8Array | undefined => {
    const name = flags.get(flag)
    return name === undefined ? undefined : readInputFile(context.cwd, name, what, maxRootBytes)
  }
  const [signingConfig, trustedRoot] = [file('--signing-config', 'the signing config'), file('--trusted-root', 'the trusted root')]
  const session = await createSigningSession({
    identityToken: required(flags, '--identity-token'),
    env: context.env,
    signal: context.signal,
    now: () => context.now(),
    ...(signingConfig === undefined ? {} : { signingConfig }),
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
    ...(staging ? { tuf: { instance: 'staging' as const } } : {}),
  })
  const contents = readInputFile(context.cwd, artifact, 'the artifact', maxBundleBytes)
  const { bundle } = inToto ? await session.signStatement(contents) : await session.sign(contents)
  writeOutputs(context.cwd, [{ path: required(flags, '--bundle'), what: 'bundle', contents: bundle }])
}

function readSigner(flags: ReadonlyMap<string, string>, context: CommandContext): Policy['signer'] {
  const keyFile = flags.get('--key')
  if (keyFile !== undefined) {
    const pem = decodeUtf8(readInputFile(context.cwd, keyFile, 'the public key', maxKeyBytes), 'the public key')
    return { kind: 'key', key: parsePublicKeyPem(pem) }
  }
  return {
    kind: 'certificate',
    identities: [
      { subjectAlternativeName: required(flags, '--certificate-identity'), issuer: required(flags, '--certificate-oidc-issuer') },
    ],
  }
}

async function loadTrust(file: string | undefined, staging: boolean, context: CommandContext): Promise<TrustMaterial> {
  if (file !== undefined) return loadTrustMaterial(readInputFile(context.cwd, file, 'the trusted root', maxRootBytes))
  const { fetchTrustedRoot } = await import('../tuf/trusted-root.ts')
  const { bytes } = await fetchTrustedRoot({
    env: context.env,
    signal: context.signal,
    ...(staging ? { instance: 'staging' as const } : {}),
  })
  return loadTrustMaterial(bytes)
}

function required(flags: ReadonlyMap<string, string>, name: string): string {
  const value = flags.get(name)
  if (value === undefined) throw new UsageError('USAGE', `${name} is missing`)
  return value
}
