/** How values go to and come from PostgreSQL: results are of the same types that SQLite gives. */
import type { CustomTypesConfig } from 'pg'
import type { SqlValue } from './sql-database.ts'

/** By the type's object identifier in pg_type, for values in the text format. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  // boolean
  16: (text) => text === 't',
  // bytea, as \x and hexadecimal digits
  17: (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')),
  // bigint, integer
  20: BigInt,
  23: BigInt,
  // text
  25: (text) => text,
  // void, of functions called for their effect
  2278: () => null,
}

/** For a client's `types`. */
export const valueTypes: CustomTypesConfig = {
  getTypeParser: (id: number) => {
    const parse = parsers[id]
    if (parse === undefined) throw new Error(`no reader for PostgreSQL's type ${id}`)
    return parse
  },
}

/** A parameter as the driver takes it. */
export function parameterOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length)
  if (Array.isArray(value)) return value.map(parameterOf)
  return typeof value === 'bigint' ? value.toString() : value
}

/** The name of the type that an array of such values has. */
export function arrayTypeOf(value: SqlValue | undefined): string {
  if (typeof value === 'bigint') return 'bigint[]'
  return typeof value === 'string' ? 'text[]' : 'bytea[]'
}
