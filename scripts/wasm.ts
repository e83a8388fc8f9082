/** Compiles WebAssembly text. */
import { readFileSync } from 'node:fs'
import wabt from 'wabt'

/** @returns the source of `src/crypto/scrypt-module.ts`, made of `scrypt.wat` */
export async function scryptModuleSource(): Promise<string> {
  const compiler = await wabt()
  const text = compiler.parseWat('scrypt.wat', readFileSync('src/crypto/scrypt.wat', 'utf8'), { simd: true })
  const base64 = Buffer.from(text.toBinary({}).buffer).toString('base64')
  text.destroy()
  const lines = base64.match(/.{1,120}/g) ?? []
  return `/** What \`npm run build:wasm\` made of scrypt.wat: a WebAssembly module, in base64. */
export const scryptModule =
${lines.map((line) => `  '${line}'`).join(' +\n')}
`
}
