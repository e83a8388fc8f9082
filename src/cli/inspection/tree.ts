/** The form in which `cosign bundle inspect` prints: `- Label: value` lines, two spaces deeper for each level. */
import { printableLine } from '../quote.ts'

/** One line, and the lines below it. */
export interface TreeNode {
  readonly label: string
  /** Empty for a line that only heads others. */
  readonly value: string
  readonly children: readonly TreeNode[]
}

/** A line with its children. Label and value may be hostile: they are escaped when they are printed. */
export function node(label: string, value = '', children: readonly TreeNode[] = []): TreeNode {
  return { label, value, children }
}

/** A line about something that a bundle should not be. */
export function warning(text: string): TreeNode {
  return node('[!] WARNING', text)
}

/** The value of a line whose content is too long to show, or says nothing to a reader. */
export function present(length: number): string {
  return `Present (${length} bytes)`
}

/** The value of a line whose content is malformed. */
export function unparsable(problem: string): string {
  return `(cannot be parsed: ${problem})`
}

/** The lines, each with its newline. Nothing in them can start a new line or move the cursor of a terminal. */
export function renderTree(nodes: readonly TreeNode[]): string {
  const lines: string[] = []
  addLines(lines, nodes, '')
  return lines.join('')
}

function addLines(lines: string[], nodes: readonly TreeNode[], indent: string): void {
  for (const { label, value, children } of nodes) {
    lines.push(value === '' ? `${indent}- ${printableLine(label)}:\n` : `${indent}- ${printableLine(label)}: ${printableLine(value)}\n`)
    addLines(lines, children, `${indent}  `)
  }
}
