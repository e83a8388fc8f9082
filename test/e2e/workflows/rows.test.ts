/** The table of README.md says where each row of the acceptance list is run. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const folder = import.meta.dirname
/** How many rows each source has. */
const lengths = [12, 14, 6, 4, 5]

const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
const rows = (text: string): string[] => text.match(/\b[0-4]\.\d+\b/g) ?? []

/** The files of the table, by row. */
const table = new Map(
  [...read('README.md').matchAll(/^\| (\d\.\d+) \|.*\| (.*) \|$/gm)].map(([, row = '', files = '']) => [row, files.split(', ')]),
)

/** The files whose titles begin with a row, by row. */
function covered(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const name of readdirSync(folder).filter((file) => /^s\d.*\.test\.ts$/.test(file))) {
    const titles = read(name).matchAll(/['"`](\d\.\d+(?:, \d\.\d+)*) [a-z%]/g)
    for (const row of new Set([...titles].flatMap(([, numbers = '']) => rows(numbers)))) {
      found.set(row, [...(found.get(row) ?? []), name.replace('.test.ts', '')])
    }
  }
  return found
}

it('every row of the table is run where it says, and nothing else is', () => {
  const byRow = (map: ReadonlyMap<string, readonly string[]>): object => Object.fromEntries(map)
  expect(byRow(covered())).toEqual(byRow(table))
})

it('every row of every source is in the table, or said to come', () => {
  const later = /^Not yet: .*$/m.exec(read('README.md'))?.[0] ?? ''
  const all = lengths.flatMap((length, source) => Array.from({ length }, (_, at) => `${source}.${at + 1}`))
  expect([...table.keys(), ...rows(later)].toSorted()).toEqual(all.toSorted())
})
