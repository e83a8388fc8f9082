/** A tree drawn with lines, wrapped so that it can be read in a narrow terminal. */
import { printableLine } from '../quote.ts'
import type { TreeNode } from '../inspection/tree.ts'

const defaultWidth = 100
/** However deep it is and however narrow the terminal, this much of a line is text. */
const leastText = 24

/**
 * The tree, each line with its newline. Nothing in it can move the cursor of a terminal.
 * @param columns width of the terminal; without one there is room for 100
 */
export function drawTree(root: TreeNode, columns = defaultWidth): string {
  const lines: string[] = []
  draw(root, '', '', columns, lines)
  return lines.map((line) => `${line}\n`).join('')
}

function draw({ label, value, children }: TreeNode, first: string, rest: string, columns: number, lines: string[]): void {
  const text = value === '' ? printableLine(label) : `${printableLine(label)}: ${printableLine(value)}`
  const below = children.length > 0 ? '│ ' : '  '
  for (const [index, part] of wrap(text, Math.max(columns - rest.length - 2, leastText)).entries()) {
    lines.push(index === 0 ? `${first}${part}` : `${rest}${below}${part}`)
  }
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1
    draw(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`, columns, lines)
  }
}

/** At spaces; a word that is too long for a line is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const at = space > width / 3 ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  return [...lines, rest]
}
