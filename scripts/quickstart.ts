/**
 * `npm run quickstart`: a key pair, a signature made offline, its verification, and a tampered copy refused, in a temporary
 * folder that is removed at the end.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeBundle } from '../src/bundle/encode-bundle.ts'
import { digest } from '../src/crypto/digest.ts'
import { generateSigner } from '../src/crypto/private-key.ts'
import { encodePublicKeyPem, keyHint } from '../src/crypto/public-key.ts'
import { encodeUtf8 } from '../src/encoding/bytes.ts'

const program = path.resolve('dist/cli/main.cjs')
const folder = mkdtempSync(path.join(tmpdir(), 'countersign-quickstart-'))
try {
  signFile('hello.txt', 'Hello, supply chain!\n')
  say('Verify it: the signature is by this key, over this file.')
  expectStatus(0, countersign('hello.txt'))
  writeFileSync(path.join(folder, 'tampered.txt'), 'Hello, supply chain?\n')
  say('Verify a tampered copy with the same bundle: it must be refused.')
  expectStatus(1, countersign('tampered.txt'))
  console.log('\nIt works. Next: countersign verify-blob --help')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function signFile(name: string, text: string): void {
  say('Make a key pair and sign a file, offline.')
  const contents = encodeUtf8(text)
  const signer = generateSigner('ecdsa-p256')
  const bundle = encodeBundle({
    content: {
      kind: 'message-signature',
      signature: signer.sign(contents),
      digest: { algorithm: 'sha256', value: digest('sha256', contents) },
    },
    keyMaterial: { kind: 'public-key', hint: keyHint(signer.publicKey) },
    logEntries: [],
    timestamps: [],
    format: '0.3',
  })
  writeFileSync(path.join(folder, name), contents)
  writeFileSync(path.join(folder, 'release.pub'), encodePublicKeyPem(signer.publicKey))
  writeFileSync(path.join(folder, 'hello.txt.sigstore.json'), bundle, { mode: 0o600 })
  console.log('  hello.txt, hello.txt.sigstore.json, release.pub')
}

function countersign(file: string): number | null {
  const words = ['verify-blob', file, '--bundle', 'hello.txt.sigstore.json', '--key', 'release.pub', '--insecure-ignore-tlog']
  console.log(`  $ countersign ${words.join(' ')}`)
  const { status, stderr } = spawnSync(process.execPath, [program, ...words], { cwd: folder, encoding: 'utf8' })
  for (const line of stderr.trim().split('\n')) console.log(`  ${line}`)
  return status
}

function expectStatus(expected: number, found: number | null): void {
  if (found !== expected) throw new Error(`expected exit status ${expected}, found ${found}`)
}

function say(sentence: string): void {
  console.log(`\n${sentence}`)
}
