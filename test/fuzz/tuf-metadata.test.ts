/** Metadata that comes back from a machine with offline keys, bent in its structure: ours refuses it with an error of ours. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'
import { CountersignError } from '../../src/error.ts'
import { describeExportedMetadata, signExportedMetadata } from '../../src/server/tuf/offline-signatures.ts'
import type { TufRepository } from '../../src/server/tuf/repository.ts'
import { newRepository, newSigner, newSigners, rolesOf, someTargets } from '../unit/server/tuf/served-repository.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Every place of a document, as the way to it. */
function places(json: Json, way: readonly string[] = []): (readonly string[])[] {
  const below =
    typeof json === 'object' && json !== null ? Object.entries(json).flatMap(([name, value]) => places(value, [...way, name])) : []
  return way.length === 0 ? below : [way, ...below]
}

/** The document with something else at a place; undefined takes it away. */
function withChange(json: Json, [name = '', ...way]: readonly string[], value: Json | undefined): Json {
  // An earlier change may have put an array where a later one expects an object: its length is not a place.
  if (typeof json !== 'object' || json === null || (Array.isArray(json) && name === 'length')) return json
  const copy: Json = Array.isArray(json) ? [...json] : { ...json }
  const inner: Json | undefined = Reflect.get(copy, name)
  if (way.length > 0) Reflect.set(copy, name, withChange(inner ?? null, way, value))
  else if (value === undefined) Reflect.deleteProperty(copy, name)
  else Reflect.set(copy, name, value)
  return copy
}

const strange = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  '',
  'x',
  '__proto__',
  [],
  [null],
  {},
  { a: {} },
  [[]],
)

async function pendingOf(repository: TufRepository, role: 'root' | 'targets'): Promise<Json> {
  return JSON.parse(Buffer.from((await repository.pending(role)) ?? []).toString()) as Json
}

for (const role of ['root', 'targets'] as const) {
  it(`a bent ${role}.json is refused, and never published`, async () => {
    const people = { root: [newSigner()], targets: [newSigner()] }
    const online = newSigners()
    const roles = rolesOf({ ...people, snapshot: online.snapshot, timestamp: online.timestamp })
    const { repository } = newRepository({ signers: { ...online, root: [], targets: [] }, roles })
    await repository.publish(someTargets)
    const document = await pendingOf(repository, role)
    const [signer] = people[role]
    if (signer === undefined) throw new Error('nobody signs')
    const attempt = async (action: () => unknown): Promise<void> => {
      try {
        await action()
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error
      }
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...places(document)), strange), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const bent = changes.reduce((json, [way, value]) => withChange(json, way, value), document)
          fc.pre(JSON.stringify(bent) !== JSON.stringify(document))
          const bytes = encodeUtf8(JSON.stringify(bent))
          await attempt(() => describeExportedMetadata(bytes))
          await attempt(() => repository.importSigned(bytes))
          await attempt(() => repository.importSigned(signExportedMetadata(bytes, signer)))
          expect(await pendingOf(repository, role)).toEqual(document)
        },
      ),
      { numRuns: 300 },
    )
    expect((await repository.status()).versions).toBeUndefined()
  })
}
