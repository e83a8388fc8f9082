/** `server.yaml`: what a server is, beside its keys. Secrets are never in it. */
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { CountersignError, messageOf } from '../error.ts'

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens')
const fileName = z.string().min(1).max(1_024)

/** All services. */
export const defaultServices = ['issuer', 'ca', 'ctlog', 'rekor-v1', 'rekor-v2', 'tsa', 'tuf', 'search', 'web'] as const

/** A part of the server that can be left out. */
export type ServiceName = (typeof defaultServices)[number]

const certified = z.strictObject({
  /** The private key, relative to the data folder. */
  key: fileName,
  /** PEM, the certificate of the key first, the root last. */
  chain: fileName,
  since: instant,
  until: instant.optional(),
  /** Chains whose keys are not used any more, but what they signed until then stays valid. */
  earlier: z
    .array(z.strictObject({ chain: fileName, since: instant, until: instant }))
    .max(64)
    .default([]),
})

const log = z.strictObject({
  id: name,
  kind: z.enum(['ctlog', 'rekor-v1', 'rekor-v2']),
  /** The first line of checkpoints; for Rekor v1 without the tree ID. */
  origin: z.string().min(1).max(253),
  key: fileName,
  state: z.enum(['active', 'frozen', 'retired']).default('active'),
  since: instant,
  until: instant.optional(),
  /** Rekor v1: a positive 63-bit number, as text. */
  'tree-id': z
    .string()
    .regex(/^[1-9][0-9]{0,18}$/)
    .optional(),
})

const configurationSchema = z.strictObject({
  version: z.literal(1),
  /** How clients reach the server. Rekor's origin and the issuer's name are made of it. */
  url: z.url({ protocol: /^https?$/ }).refine((text) => new URL(text).pathname === '/' && !text.endsWith('/'), 'an origin without a path'),
  services: z.array(z.enum(defaultServices)).default([...defaultServices]),
  ca: certified,
  tsa: certified.extend({ 'ntp-servers': z.array(z.string().max(253)).max(16).default([]) }),
  logs: z.array(log).min(1).max(64),
  tuf: z.strictObject({
    root: fileName.optional(),
    targets: fileName.optional(),
    snapshot: fileName,
    timestamp: fileName,
  }),
  issuer: z.strictObject({
    /** The file with the key that the issuer's own keys are encrypted with. */
    secret: fileName,
    /** What `server/issuer` reads. */
    settings: z.record(z.string(), z.unknown()).default({}),
  }),
  /** Fulcio's configuration of trusted issuers. */
  issuers: fileName,
  limits: z
    .strictObject({
      /** Writes a second from one address, one for every 64 KiB; clients on this machine are not limited. */
      'writes-per-second': z.number().positive().max(1_000_000).default(200),
      burst: z.number().positive().max(1_000_000).default(1_000),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      /** `origin`: at /metrics; `off`; or an address of its own, such as 127.0.0.1:2112. */
      listen: z.string().max(260).optional(),
    })
    .prefault({}),
  rekor: z
    .strictObject({
      /** Which Rekor the signing config in the TUF repository names. */
      default: z.enum(['v1', 'v2']).default('v2'),
    })
    .prefault({}),
})

/** A checked configuration; instants are epoch milliseconds, files are relative to the data folder. */
export type ServerConfiguration = z.output<typeof configurationSchema>

/** A log of the configuration. */
export type LogConfiguration = ServerConfiguration['logs'][number]

const maxCharacters = 1_000_000

/**
 * Reads a configuration.
 * @param file what errors call it
 * @throws CountersignError CONFIGURATION_INVALID, with the line of what is wrong
 */
export function parseConfiguration(text: string, file: string): ServerConfiguration {
  if (text.length > maxCharacters) throw invalid(file, `it has more than ${maxCharacters} characters`)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [mistake] = document.errors
  if (mistake !== undefined) throw invalid(file, `line ${lines.linePos(mistake.pos[0]).line}: ${mistake.message.split('\n')[0] ?? ''}`)
  const result = configurationSchema.safeParse(valueOf(document, file))
  if (result.success) return result.data
  const [issue] = result.error.issues
  // What should not be there is named beside the path to where it is.
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...(issue?.path.map(String) ?? []), ...unknown]
  throw invalid(file, `${placeOf(document, lines, path)}${path.join('.')}: ${issue?.message ?? 'not as expected'}`)
}

/** Aliases, which can stand for any amount, have no use here. */
function valueOf(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw invalid(file, messageOf(cause))
  }
}

/** The line of the innermost part of the path that the document has. */
function placeOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, path: readonly string[]): string {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length).map(indexOrName), true)
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return `line ${lines.linePos(Number(node.range[0])).line}, `
    }
  }
  return ''
}

function indexOrName(text: string): string | number {
  return /^[0-9]+$/.test(text) ? Number(text) : text
}

function invalid(file: string, reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `${file} cannot be used: ${reason}`)
}
