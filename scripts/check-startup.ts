/**
 * Holds what `verify-blob` may load: it is started for every file that is checked, and each of these modules costs
 * milliseconds. Runs the built program on a bundle made here and looks at what Node had loaded when it ended.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeBundle } from '../src/bundle/encode-bundle.ts'
import { generateSigner } from '../src/crypto/private-key.ts'
import { encodePublicKeyPem, keyHint } from '../src/crypto/public-key.ts'
import { encodeUtf8 } from '../src/encoding/bytes.ts'

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

const launcher = path.resolve('dist/cli/main.cjs')
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-startup-'))
try {
  const loaded = modulesOfVerifyBlob()
  const builtins = forbiddenBuiltins.filter((name) => loaded.builtins.includes(`NativeModule ${name}`))
  const files = loaded.files.filter((file) => file !== launcher).map((file) => path.relative('dist/cli', file))
  if (builtins.length + files.length > 0) {
    console.error(`verify-blob loads what it may not: ${[...builtins.map((name) => `node:${name}`), ...files].join(', ')}`)
    process.exitCode = 1
  } else {
    console.log(`start-up: clean (${loaded.builtins.length} modules of Node, no library, nothing that lies aside)`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface LoadedModules {
  readonly builtins: readonly string[]
  readonly files: readonly string[]
}

function modulesOfVerifyBlob(): LoadedModules {
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
  const report = path.join(folder, 'loaded.json')
  const hook = path.join(folder, 'hook.cjs')
  writeFileSync(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify({ builtins: process.moduleLoadList, files: Object.keys(require.cache) })))`,
  )
  const words = ['-r', hook, launcher, 'verify-blob', 'x', '--key', 'x.pub', '--insecure-ignore-tlog']
  // Certificates named by NODE_EXTRA_CA_CERTS make Node itself load its TLS module.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env })
  if (status !== 0) throw new Error(`verify-blob failed: ${stderr}`)
  const { builtins, files } = JSON.parse(readFileSync(report, 'utf8')) as { builtins: string[]; files: string[] }
  return { builtins, files: files.filter((file) => file !== hook) }
}
