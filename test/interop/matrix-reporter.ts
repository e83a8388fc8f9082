/** Ends the interop suite with a table: what was made by whom, and which client takes it for what it is. */
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { Agreement } from './server/matrix.ts'

const otherwise = { failed: 'NO', skipped: 'skipped', pending: 'not run' } as const

const none: Agreement = { made: '', judge: '', outcome: '' }

/** Prints nothing when no test of the matrix was run. */
export class MatrixReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    // Modules come in the order in which they ran, which changes.
    const ordered = modules.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId))
    const cells = ordered.flatMap((module) => [...module.children.allTests()]).filter((test) => test.meta().agreement !== undefined)
    if (cells.length > 0) process.stdout.write(`\n${tableOf(cells)}\n\n`)
  }
}

/** Rows are what was made, columns are who judges it. */
function tableOf(tests: readonly TestCase[]): string {
  const judges: string[] = []
  const rows = new Map<string, Map<string, string>>()
  for (const test of tests) {
    const { made, judge, outcome } = test.meta().agreement ?? none
    const { state } = test.result()
    if (!judges.includes(judge)) judges.push(judge)
    const row = rows.get(made) ?? new Map<string, string>()
    rows.set(made, row.set(judge, state === 'passed' ? outcome : otherwise[state]))
  }
  const lines = [['', ...judges], ...[...rows].map(([made, row]) => [made, ...judges.map((judge) => row.get(judge) ?? '-')])]
  const widths = ['', ...judges].map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((word, column) => word.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
