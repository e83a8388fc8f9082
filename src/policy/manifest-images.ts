/** Which images Kubernetes resources run: those of all kinds of containers, and of volumes that are images. */
import { parseAllDocuments } from 'yaml'
import { DecodingError, messageOf } from '../error.ts'

const maxDocuments = 10_000
const maxAliases = 1000
const containerLists = new Set(['containers', 'initContainers', 'ephemeralContainers'])

/**
 * Reads YAML or JSON, of one or many resources. Wherever there are containers, of whatever kind of resource, their images count.
 * @returns every image once, in the order of the file
 * @throws DecodingError ENCODING_INVALID, with the number of the line; TOO_LARGE
 */
export function imagesOfManifest(text: string): readonly string[] {
  const documents = parseAllDocuments(text, { uniqueKeys: true, logLevel: 'silent' })
  if (!Array.isArray(documents)) return []
  if (documents.length > maxDocuments) throw new DecodingError('TOO_LARGE', `the manifest has more than ${maxDocuments} documents`)
  const images = new Set<string>()
  for (const document of documents) {
    const [error] = document.errors
    if (error !== undefined) throw invalid(error.message, error.linePos?.[0].line)
    try {
      collect(document.toJS({ maxAliasCount: maxAliases }), images)
    } catch (cause) {
      throw invalid(messageOf(cause), undefined)
    }
  }
  return [...images]
}

function collect(value: unknown, images: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (containerLists.has(name)) for (const container of itemsOf(member)) add(memberOf(container, 'image'), images)
    if (name === 'volumes') for (const volume of itemsOf(member)) add(memberOf(memberOf(volume, 'image'), 'reference'), images)
    collect(member, images)
  }
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function add(image: unknown, images: Set<string>): void {
  if (typeof image === 'string' && image.trim() !== '') images.add(image.trim())
}

function invalid(reason: string, line: number | undefined): DecodingError {
  const where = line === undefined ? '' : `, line ${line}`
  return new DecodingError('ENCODING_INVALID', `the manifest is not valid YAML${where}: ${reason.split('\n', 1)[0] ?? ''}`)
}
