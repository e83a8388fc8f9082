/** A KMS plugin: a program on PATH that has its keys in files, and its orders for misbehaviour too. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { keyStore } from '../../../src/keys/kms-plugin.ts'
import { testKey } from './holder.ts'
import type { Fault, StoreKind } from './store.ts'

const kinds: readonly KeyKind[] = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519']

export const pluginStore: StoreKind = {
  name: 'a plugin',
  kinds,
  makes: kinds,
  pss: 'never',
  signsEd25519ph: true,
  faults: ['refuse', 'hang up', 'other key', 'garbage', 'nothing in it', 'too much'],
  unknown: 'test-hsm://unknown',
  fresh: 'test-hsm://fresh',
  malformed: ['test-hsm:', 'other-hsm://key', '../test-hsm://key', '://key', '-x://key'],
  secrets: ['the-plugin-secret'],
  source: { file: 'src/keys/kms-plugin.ts' },
  async start() {
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-plugin-'))
    const keys = path.join(folder, 'keys')
    mkdirSync(path.join(keys, 'other'), { recursive: true })
    mkdirSync(path.join(folder, 'bin'))
    const file = path.join(folder, 'bin', 'sigstore-kms-test-hsm')
    await build({
      entryPoints: ['test/support/key-stores/plugin-program.ts'],
      outfile: file,
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      banner: { js: `#!${process.execPath}` },
    })
    chmodSync(file, 0o755)
    const save = (name: string, kind: KeyKind, which?: string): void =>
      writeFileSync(path.join(keys, name), testKey(kind, which).export({ type: 'pkcs8', format: 'pem' }))
    for (const kind of kinds) {
      save(`other/${kind}`, kind, 'other')
      save(`new-${kind}`, kind, 'new')
    }
    const orders = path.join(folder, 'fault')
    writeFileSync(orders, 'none')
    const log = path.join(folder, 'log')
    return {
      keyStore,
      env: { PATH: ['relative', path.join(folder, 'bin')].join(path.delimiter), TEST_HSM: folder, TEST_HSM_PASSWORD: 'the-plugin-secret' },
      get fault() {
        return readFileSync(orders, 'utf8') as Fault
      },
      set fault(fault: Fault) {
        writeFileSync(orders, fault)
      },
      asked: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0),
      hold(kind: KeyKind) {
        save(kind, kind)
        return { reference: `test-hsm://${kind}`, native: testKey(kind) }
      },
      close: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
    }
  },
}
