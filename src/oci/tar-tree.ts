/** What a tar archive holds under which path. Every path is one thing, so that it does not matter in which order it is unpacked. */

/** Where the content of a file is in the archive. */
export interface FilePlace {
  readonly start: number
  /** Bytes. */
  readonly length: number
}

type Node =
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly place: FilePlace }
  | { readonly kind: 'hard-link' | 'symbolic-link'; readonly target: string }

const folder: Node = { kind: 'folder' }
const maxNodes = 200_000
const maxLinks = 8
/** As Linux has it. */
const maxPathLength = 4096

/** Methods that add say what is wrong, and undefined for what is right. */
export class TarTree {
  readonly #nodes = new Map<string, Node>()

  addFile(path: string, place: FilePlace): string | undefined {
    return this.#add(path, { kind: 'file', place })
  }

  addFolder(path: string): string | undefined {
    return this.#add(path, folder)
  }

  /** A hard link starts from the archive's folder. */
  addHardLink(path: string, target: string): string | undefined {
    return this.#add(path, { kind: 'hard-link', target: plainPath(target) ?? '' })
  }

  /** A symbolic link starts from its own folder. */
  addSymbolicLink(path: string, target: string): string | undefined {
    return this.#add(path, { kind: 'symbolic-link', target: linkTarget(path, target) })
  }

  /** Where the content of a file is, at the end of its links; undefined when there is none. */
  find(path: string): FilePlace | undefined {
    let node = this.#nodes.get(path)
    for (let followed = 0; followed <= maxLinks; followed++) {
      if (node === undefined || node.kind === 'folder') return undefined
      if (node.kind === 'file') return node.place
      const next: Node | undefined = this.#nodes.get(node.target)
      // A hard link to a symbolic link is one itself, which starts from elsewhere.
      if (node.kind === 'hard-link' && next?.kind === 'symbolic-link') return undefined
      node = next
    }
    return undefined
  }

  /** Names of what is in a folder and is none. */
  list(path: string): string[] {
    return [...this.#nodes].flatMap(([name, { kind }]) => {
      const rest = kind !== 'folder' && name.startsWith(`${path}/`) ? name.slice(path.length + 1) : ''
      return rest === '' || rest.includes('/') ? [] : [rest]
    })
  }

  /** What leads nowhere here may lead somewhere for others. */
  brokenLink(): string | undefined {
    for (const [path, { kind }] of this.#nodes) if (kind !== 'folder' && this.find(path) === undefined) return path
    return undefined
  }

  #add(name: string, node: Node): string | undefined {
    if (name.length > maxPathLength) return `it has a name of more than ${maxPathLength} characters`
    const path = plainPath(name)
    if (path === undefined || (path === '' && node.kind !== 'folder')) return `it has the name ${quoted(name)}`
    if (path === '') return undefined
    const before = this.#nodes.get(path)
    if (before !== undefined && (before.kind !== 'folder' || node.kind !== 'folder'))
      return `it has ${quoted(path)} twice, and programs differ in which of them they take`
    this.#nodes.set(path, node)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end)
      const known = this.#nodes.get(above)
      if (known?.kind === 'folder') break
      if (known !== undefined) return `it has ${quoted(above)} twice: as a folder, and not as one`
      this.#nodes.set(above, folder)
    }
    return this.#nodes.size > maxNodes ? `it has more than ${maxNodes} entries` : undefined
  }
}

/** Without `.` and needless slashes; undefined for a path with `..`. */
function plainPath(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}

/** The empty path, which is no file, for one that leads out of the archive, or that goes up after it has gone down. */
function linkTarget(path: string, target: string): string {
  const above = plainPath(path)?.split('/').slice(0, -1) ?? []
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  let ups = 0
  while (parts[ups] === '..') ups++
  if (target.startsWith('/') || ups > above.length) return ''
  return plainPath([...above.slice(0, above.length - ups), ...parts.slice(ups)].join('/')) ?? ''
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 120))
}
