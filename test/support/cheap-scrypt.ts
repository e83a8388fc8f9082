/** Key files by the dozen: what scrypt costs, and that it is scrypt, is asserted in test/unit/crypto/encrypted-private-key.test.ts. */
import crypto from 'node:crypto'
import type { ScryptOptions } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, beforeAll } from 'vitest'

type Scrypt = (
  password: crypto.BinaryLike,
  salt: crypto.BinaryLike,
  length: number,
  options: ScryptOptions,
  done: (error: Error | null, key: Buffer) => void,
) => void

/** Without it `scryptHere` asks Node, too. */
const { WebAssembly } = globalThis as { WebAssembly?: object }

/** While the tests of this file run, scrypt's cost is 16, whatever key files say that it is. What they encrypt opens nowhere else. */
export function makeScryptCheap(): void {
  const { scrypt } = crypto
  const cheap: Scrypt = (password, salt, length, options, done) => scrypt(password, salt, length, { ...options, N: 16 }, done)
  beforeAll(() => put(cheap as typeof scrypt, undefined))
  afterAll(() => put(scrypt, WebAssembly))
}

function put(scrypt: typeof crypto.scrypt, webAssembly: object | undefined): void {
  Object.assign(globalThis, { WebAssembly: webAssembly })
  crypto.scrypt = scrypt
  syncBuiltinESMExports()
}
