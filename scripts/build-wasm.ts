/** Writes `src/crypto/scrypt-module.ts`. It is committed, so that nothing else needs a compiler; a test holds the two together. */
import { writeFileSync } from 'node:fs'
import { scryptModuleSource } from './wasm.ts'

writeFileSync('src/crypto/scrypt-module.ts', await scryptModuleSource())
