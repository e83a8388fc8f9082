/** Figures: what a benchmark measured, beside what its peer did in the same run. */

export interface Figure {
  readonly name: string
  /** In `unit`: the median of the rounds, or where a limit is to be held the worst of them. */
  readonly value: number
  readonly unit: string
  /** Who did the same work beside it; undefined when the figure stands for itself. */
  readonly peer?: string
  readonly peerValue?: number
  /** What the figure should hold: a bound of the ratio where there is a peer, otherwise of the value. */
  readonly goal?: Goal
}

export interface Goal {
  readonly bound: 'at-least' | 'at-most'
  readonly of: number
}

/** Our value over the peer's, or undefined without a peer. */
function ratioOf({ value, peerValue }: Figure): number | undefined {
  return peerValue === undefined ? undefined : value / peerValue
}

/** The members of a line of `--json`, null where there is no peer. */
export function toJson(figure: Figure): Readonly<Record<string, string | number | null>> {
  const { name, value, unit, peer, peerValue } = figure
  return {
    name,
    value: rounded(value),
    unit,
    peer: peer ?? null,
    peerValue: peerValue === undefined ? null : rounded(peerValue),
    ratio: roundedRatio(figure),
  }
}

/** The figures as a table for people. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [['', 'ours', 'unit', 'peer', 'theirs', 'ratio', 'goal'], ...figures.map(rowOf)]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, column) => align(cell, column, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function rowOf(figure: Figure): string[] {
  const { name, value, unit, peer = '', peerValue } = figure
  return [
    name,
    formatNumber(value),
    unit,
    peer,
    peerValue === undefined ? '' : formatNumber(peerValue),
    formatRatio(figure),
    formatGoal(figure),
  ]
}

/** Texts to the left, numbers to the right. */
function align(cell: string, column: number, width: number): string {
  return column === 1 || column === 4 || column === 5 ? cell.padStart(width) : cell.padEnd(width)
}

function formatGoal(figure: Figure): string {
  const { goal, value } = figure
  if (goal === undefined) return ''
  const measured = ratioOf(figure) ?? value
  const isMet = goal.bound === 'at-least' ? measured >= goal.of : measured <= goal.of
  return `${goal.bound === 'at-least' ? '≥' : '≤'} ${goal.of}: ${isMet ? 'met' : 'MISSED'}`
}

function formatRatio(figure: Figure): string {
  const ratio = roundedRatio(figure)
  return ratio === null ? '' : ratio.toFixed(2)
}

function roundedRatio(figure: Figure): number | null {
  const ratio = ratioOf(figure)
  return ratio === undefined ? null : Math.round(ratio * 1000) / 1000
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function formatNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 10 ? 1 : 3)
}
