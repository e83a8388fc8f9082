/**
 * Which images Kubernetes resources run: those of all kinds of containers, and of volumes that are images. What kubectl reads in
 * another way than YAML says is refused.
 */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit } from 'yaml'
import type { Document, ParsedNode, YAMLMap } from 'yaml'
import { DecodingError, messageOf } from '../error.ts'
import { excerpt } from '../encoding/bytes.ts'

export interface ManifestImages {
  /** Every image once, in the order of the file. */
  readonly all: readonly string[]
  /** What is called an image elsewhere, and may be one or something else. */
  readonly others: readonly string[]
}

const maxDocuments = 10_000
const maxAliases = 1000
/** Of lists of what is merged. */
const maxDepth = 3
/** Containers of pods, and those that Tekton and Argo make of such; one of them or a list. */
const containerMembers: ReadonlySet<string> = new Set(
  'containers initContainers ephemeralContainers container script sidecars steps stepTemplate'.split(' '),
)
/** What decides on images: where it is written twice, one of them would not be looked at. */
const decisiveMembers = [...containerMembers, 'volumes', 'image', 'reference']

/**
 * Reads YAML or JSON, of one or many resources. Wherever there are containers, of whatever kind of resource, their images count.
 * @throws DecodingError ENCODING_INVALID, with the number of the line; TOO_LARGE
 */
export function imagesOfManifest(text: string): ManifestImages {
  const line = text.split('\n').findIndex((one) => /^---[^\s]/.test(one)) + 1
  if (line > 0) throw invalid('text that follows --- at once: kubectl begins another resource there', line)
  const documents = parseAllDocuments(text, { uniqueKeys: true, logLevel: 'silent', merge: true, resolveKnownTags: false })
  if (!Array.isArray(documents)) return { all: [], others: [] }
  if (documents.length > maxDocuments) throw new DecodingError('TOO_LARGE', `the manifest has more than ${maxDocuments} documents`)
  const images = new Set<string>()
  const others = new Set<string>()
  for (const document of documents) {
    const [error] = [...document.errors, ...document.warnings]
    if (error !== undefined) throw invalid(error.message, error.linePos?.[0].line)
    demandPlain(document)
    try {
      collect(document.toJS({ maxAliasCount: maxAliases }), images, others)
    } catch (cause) {
      throw cause instanceof DecodingError ? cause : invalid(messageOf(cause), undefined)
    }
  }
  return { all: [...images], others: [...others].filter((image) => !images.has(image)) }
}

/** The parsers of kubectl and of YAML 1.2 disagree on what is merged after a member of the same name, and on encoded text. */
function demandPlain(document: Document.Parsed): void {
  visit(document, {
    Node: (_, node) => {
      if (node.tag === 'tag:yaml.org,2002:binary') throw invalid('!!binary, where text is expected', undefined)
    },
    Map: (_, map) => {
      const merged = map.items.filter(({ key }) => isMergeKey(key))
      const [pair, another] = merged
      if (pair === undefined) return
      if (another !== undefined) throw invalid('<< is given twice in one place: give it one list', undefined)
      const before = new Set(map.items.slice(0, map.items.indexOf(pair)).map(({ key }) => (isScalar(key) ? key.value : undefined)))
      const doubtful = decisiveMembers.find((name) => before.has(name) && mayMerge(document, pair.value, name))
      if (doubtful !== undefined) throw invalid(`${doubtful} stands before a << that may replace it: write << first`, undefined)
    },
  })
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.source === '<<' && (key.type === undefined || key.type === 'PLAIN')
}

/** Whether what is merged has a member, or something merged in turn. */
function mayMerge(document: Document.Parsed, source: unknown, name: string, depth = 0): boolean {
  if (depth > maxDepth) return true
  const node: unknown = isAlias(source) ? source.resolve(document) : source
  if (isSeq(node)) return node.items.some((item) => mayMerge(document, item, name, depth + 1))
  return !isMap(node) || (node as YAMLMap<ParsedNode>).items.some(({ key }) => isMergeKey(key) || (isScalar(key) && key.value === name))
}

function collect(value: unknown, images: Set<string>, others: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (containerMembers.has(name)) for (const container of itemsOf(member)) add(memberOf(container, 'image'), images)
    if (name === 'volumes') {
      for (const volume of itemsOf(member)) add(memberOf(memberOf(volume, 'image'), 'reference'), images)
    }
    if (name === 'image' && typeof member === 'string' && member.trim() !== '') others.add(member.trim())
    collect(member, images, others)
  }
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function add(image: unknown, images: Set<string>): void {
  if (image === undefined || image === null) return
  if (typeof image !== 'string')
    throw new DecodingError('ENCODING_INVALID', `the manifest has an image that is no text: ${excerpt(JSON.stringify(image), 80)}`)
  if (image.trim() !== '') images.add(image.trim())
}

function invalid(reason: string, line: number | undefined): DecodingError {
  const where = line === undefined ? '' : `, line ${line}`
  return new DecodingError('ENCODING_INVALID', `the manifest is not valid YAML${where}: ${reason.split('\n', 1)[0] ?? ''}`)
}
