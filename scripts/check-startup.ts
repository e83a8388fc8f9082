/**
 * Holds what `verify-blob`, `verify` and `sign-blob --key` may load: they are started for every file and every image that is checked or
 * signed, and each of these modules costs milliseconds. Runs the built program on a bundle made here, on an image of a registry on this
 * machine, and with a key, and looks at what Node had loaded when it ended.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { encodeBundle } from '../src/bundle/encode-bundle.ts'
import { generateSigner } from '../src/crypto/private-key.ts'
import { encodePublicKeyPem, keyHint } from '../src/crypto/public-key.ts'
import { encodeUtf8 } from '../src/encoding/bytes.ts'
import { startWarmUpRegistry } from './warm-up-registry.ts'

/** For a file there is nobody to ask. */
const forbiddenBuiltins = [
  'http',
  'https',
  'http2',
  'net',
  'tls',
  'dns',
  'zlib',
  'worker_threads',
  'child_process',
  'readline',
  'repl',
  'inspector',
]
/** What only registries with TLS, other programs and large bodies need. `dns` and `net` come with `http`. */
const forbiddenForImages = forbiddenBuiltins.filter((name) => !['http', 'net', 'dns'].includes(name))

/** `tty` comes with `process.stderr`, which only a bar of many files and a question need. */
const forbiddenForSigning = [...forbiddenBuiltins, 'tty']
/** What opens an encrypted key. */
const signingLibrary = 'library/noble-ciphers-salsa.cjs'

const launcher = path.resolve('dist/cli/main.cjs')
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-startup-'))
try {
  check('verify-blob', await modulesOfVerifyBlob(), forbiddenBuiltins)
  check('verify', await modulesOfVerify(), forbiddenForImages)
  check('sign-blob --key', await modulesOfSignBlob(), forbiddenForSigning, [signingLibrary])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function check(verb: string, loaded: LoadedModules, forbidden: readonly string[], libraries: readonly string[] = []): void {
  const builtins = forbidden.filter((name) => loaded.builtins.includes(`NativeModule ${name}`))
  const files = loaded.files.filter((file) => file !== launcher).map((file) => path.relative('dist/cli', file))
  const unwanted = files.filter((file) => !libraries.includes(file))
  if (builtins.length + unwanted.length > 0) {
    console.error(`${verb} loads what it may not: ${[...builtins.map((name) => `node:${name}`), ...unwanted].join(', ')}`)
    process.exitCode = 1
  } else {
    console.log(
      `start-up of ${verb}: clean (${loaded.builtins.length} modules of Node, ${files.length === 0 ? 'no library' : files.join(', ')}, nothing that lies aside)`,
    )
  }
}

interface LoadedModules {
  readonly builtins: readonly string[]
  readonly files: readonly string[]
}

function modulesOfVerifyBlob(): Promise<LoadedModules> {
  const contents = encodeUtf8('x')
  const signer = generateSigner('ecdsa-p256')
  const entity = {
    content: { kind: 'message-signature', signature: signer.sign(contents), digest: undefined },
    keyMaterial: { kind: 'public-key', hint: keyHint(signer.publicKey) },
    logEntries: [],
    timestamps: [],
    format: '0.3',
  } as const
  writeFileSync(path.join(folder, 'x'), contents)
  writeFileSync(path.join(folder, 'x.pub'), encodePublicKeyPem(signer.publicKey))
  writeFileSync(path.join(folder, 'x.sigstore.json'), encodeBundle(entity))
  return modulesOf(['verify-blob', 'x', '--key', 'x.pub', '--insecure-ignore-tlog'], folder)
}

/** Of the file and the key that the build warms up with. */
function modulesOfSignBlob(): Promise<LoadedModules> {
  const words = ['--key', 'cosign.key', '--tlog-upload=false', '--bundle', path.join(folder, 'signed.sigstore.json')]
  return modulesOf(['sign-blob', 'artifact', ...words], 'scripts/warm-up', { COSIGN_PASSWORD: 'warm-up' })
}

/** Of the image that the build warms up with. */
async function modulesOfVerify(): Promise<LoadedModules> {
  const registry = await startWarmUpRegistry()
  try {
    const who = ['--certificate-identity', 'warm-up@example.com', '--certificate-oidc-issuer', 'https://issuer.example.com']
    return await modulesOf(['verify', `${registry.host}/app:v1`, '--trusted-root', 'trusted_root.json', ...who], 'scripts/warm-up')
  } finally {
    await registry.stop()
  }
}

async function modulesOf(argv: readonly string[], cwd: string, variables: Readonly<Record<string, string>> = {}): Promise<LoadedModules> {
  const report = path.join(folder, 'loaded.json')
  const hook = path.join(folder, 'hook.cjs')
  writeFileSync(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify({ builtins: process.moduleLoadList, files: Object.keys(require.cache) })))`,
  )
  // Certificates named by NODE_EXTRA_CA_CERTS make Node itself load its TLS module.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const child = spawn(process.execPath, ['-r', hook, launcher, ...argv], {
    cwd,
    env: { ...env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
  if (status !== 0) throw new Error(`${argv[0]} failed: ${said}`)
  const { builtins, files } = JSON.parse(readFileSync(report, 'utf8')) as { builtins: string[]; files: string[] }
  return { builtins, files: files.filter((file) => file !== hook) }
}
