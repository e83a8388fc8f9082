/** Hostile DER: of no format, and a good value with one of its elements blown up. */
import type { HostileInput } from './hostile-input.ts'
import { repeatedBytes } from './hostile-input.ts'

const sequence = 0x30

/** DER that fits no format, and what only looks like DER. */
export const hostileDer: readonly HostileInput[] = [
  { name: 'DER sequences in sequences', make: nested },
  { name: 'DER of an indefinite length, nested', make: (size) => repeatedBytes([0x30, 0x80], size) },
  { name: 'DER many NULLs', make: (size) => element(sequence, repeatedBytes([0x05, 0x00], size)) },
  { name: 'DER many empty sequences', make: (size) => element(sequence, repeatedBytes([0x30, 0x00], size)) },
  { name: 'DER long integer', make: (size) => element(0x02, repeatedBytes([0x7f], size)) },
  { name: 'DER long object identifier', make: (size) => element(0x06, repeatedBytes([0x2a], size)) },
  {
    name: 'DER object identifier of one arc',
    make: (size) => element(0x06, Buffer.concat([repeatedBytes([0xff], size), Buffer.of(0x7f)])),
  },
  { name: 'DER object identifiers', make: (size) => element(sequence, repeatedBytes([0x06, 0x03, 0x55, 0x1d, 0x0f], size)) },
  { name: 'DER long bit string', make: (size) => element(0x03, repeatedBytes([0x00], size)) },
  { name: 'DER long length', make: (size) => Buffer.concat([Buffer.of(0x30, 0xff), repeatedBytes([0xff], size)]) },
  { name: 'DER high tags', make: (size) => repeatedBytes([0x3f, 0xff], size) },
]

/**
 * The value again and again, each time with another of its elements blown up: a primitive one filled in several ways, a
 * constructed one with its content repeated or with sequences in sequences. Looks into octet strings that hold DER.
 */
export function blownUpDer(what: string, der: Uint8Array): HostileInput[] {
  const root = parse(der)
  if (root === undefined) throw new Error(`${what} is not DER`)
  return places(root, []).flatMap((path) => {
    const { tag, children, content } = nodeAt(root, path)
    const where = `${what}: element ${path.join('.') || 'root'} (tag ${tag.toString(16)})`
    const blowUp = (way: string, fill: (size: number) => Uint8Array): HostileInput => ({
      name: `${where} ${way}`,
      make: (size) => encode(root, path, element(tag, fill(size))),
    })
    if (children !== undefined) {
      return [
        blowUp('has its content repeated', (size) => repeatedBytes(content.length === 0 ? [0x30, 0x00] : content, size)),
        blowUp('has sequences in sequences', nested),
      ]
    }
    return [
      blowUp('is its own content, repeated', (size) => repeatedBytes(content.length === 0 ? [0] : content, size)),
      blowUp('is zero bytes', (size) => Buffer.alloc(size)),
      blowUp('is bytes of all ones', (size) => Buffer.alloc(size, 0xff)),
      blowUp('is small bytes', (size) => Buffer.alloc(size, 0x2a)),
      blowUp('is letters', (size) => Buffer.alloc(size, 'a.')),
    ]
  })
}

interface Node {
  readonly tag: number
  readonly content: Uint8Array
  /** Undefined in a primitive element whose content is no DER. */
  readonly children: readonly Node[] | undefined
}

type Path = readonly number[]

/** Reads one element and nothing after it; undefined when the bytes are not that. */
function parse(bytes: Uint8Array): Node | undefined {
  const nodes = parseAll(bytes)
  return nodes?.length === 1 ? nodes[0] : undefined
}

function parseAll(bytes: Uint8Array): Node[] | undefined {
  const nodes: Node[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0
    const first = bytes[at + 1] ?? 0
    const lengthBytes = first < 0x80 ? 0 : first - 0x80
    if (lengthBytes > 3 || (first >= 0x80 && lengthBytes === 0)) return undefined
    let length = first
    if (lengthBytes > 0) length = bytes.subarray(at + 2, at + 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
    const start = at + 2 + lengthBytes
    if (start + length > bytes.length) return undefined
    const content = bytes.subarray(start, start + length)
    const isConstructed = (tag & 0x20) !== 0
    const children = isConstructed || (tag === 0x04 && content[0] === sequence) ? parseAll(content) : undefined
    if (isConstructed && children === undefined) return undefined
    nodes.push({ tag, content, children })
    at = start + length
  }
  return nodes
}

function places(node: Node, path: Path): Path[] {
  return [path, ...(node.children ?? []).flatMap((child, index) => places(child, [...path, index]))]
}

function nodeAt(root: Node, path: Path): Node {
  return path.reduce((node, index) => node.children?.[index] ?? node, root)
}

/** The value, with the element at the path replaced. */
function encode(node: Node, [index, ...rest]: Path, replacement: Uint8Array): Uint8Array {
  if (index === undefined) return replacement
  const children = (node.children ?? []).map((child, at) =>
    at === index ? encode(child, rest, replacement) : element(child.tag, child.content),
  )
  return element(node.tag, Buffer.concat(children))
}

function element(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(head(tag, content.length)), content])
}

/** Tag and length, as short as DER wants them. */
function head(tag: number, length: number): number[] {
  if (length < 0x80) return [tag, length]
  if (length < 0x100) return [tag, 0x81, length]
  if (length < 0x1_00_00) return [tag, 0x82, length >> 8, length & 0xff]
  return [tag, 0x83, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]
}

/** Well-formed sequences, one in another, two to five bytes each. */
function nested(size: number): Uint8Array {
  // From the innermost one outwards, so written from the end.
  const backwards: number[] = []
  while (backwards.length < size) backwards.push(...head(sequence, backwards.length).toReversed())
  return Buffer.from(backwards.toReversed())
}
