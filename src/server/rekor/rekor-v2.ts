/** The Rekor v2 API (rekor-tiles) over a log: entries are added by JSON, and read as checkpoint, tiles and entry bundles. */
import { Hono } from 'hono'
import { encodeRekorV2Error, grpcCode } from '../../api/rekor-error.ts'
import {
  encodeTransparencyLogEntry,
  maxRekorV2RequestBytes,
  parseCreateEntryRequest,
  rekorV2CheckpointPath,
  rekorV2EntriesPath,
} from '../../api/rekor-v2.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { CountersignError, DecodingError, VerificationError } from '../../error.ts'
import { noteKeyHash } from '../../merkle/signed-note.ts'
import type { Exchange, ExchangeAnswer } from '../request/exchange.ts'
import { mountExchange, responseOf } from '../request/exchange.ts'
import type { Service } from '../service.ts'
import type { AddedEntry, TileLog } from '../tile-log/log.ts'
import { defaultKeyDetails } from './algorithm-policy.ts'
import { answerCheckpoint, answerTile } from './log-reads.ts'
import type { SignatureChecker } from '../threads/signature-check.ts'
import { checkSignature } from '../threads/signature-check.ts'
import type { CheckedEntry, EntryRulesV2 } from './v2-entry.ts'
import { checkEntryV2 } from './v2-entry.ts'

export interface RekorV2Options {
  /** Its origin is the host name that clients reach it by, without port and path. Its head carries every signature it has. */
  readonly log: TileLog
  /** The key that signs its checkpoints. */
  readonly publicKey: PublicKey
  /** What stands before `/api/v2` in its paths, such as `/log1`; nothing by default. */
  readonly prefix?: string
  /** Names of PublicKeyDetails that may sign; `defaultKeyDetails` by default. */
  readonly keyDetails?: readonly string[]
  /** What `dsseRequestV002` is logged as: a hashedrekord over its encoding by default, `dsse` for a log of old clients. */
  readonly envelopesAs?: EntryRulesV2['envelopesAs']
  /** Checks signatures; in this thread by default. */
  readonly checkSignature?: SignatureChecker
  /** Called after an entry was added. */
  readonly onAdded?: () => void
  /** Told what failed behind an answer of status 500. */
  readonly onError?: (error: unknown) => void
}

/**
 * The service.
 * @throws CountersignError CONFIGURATION_INVALID when clients could not verify what such a log signs
 */
export function createRekorV2(options: RekorV2Options): Service {
  const { log, prefix = '' } = options
  checkOrigin(log.origin)
  const logId = noteKeyHash(log.origin, options.publicKey)
  const rules: EntryRulesV2 = {
    keyDetails: options.keyDetails ?? defaultKeyDetails,
    envelopesAs: options.envelopesAs ?? 'hashedrekord',
    checkSignature: options.checkSignature ?? checkSignature,
  }
  const routes = new Hono()

  const exchange: Exchange = {
    path: `${prefix}${rekorV2EntriesPath}`,
    answer: async (message) => {
      if (log.state !== 'active') return frozen()
      try {
        const request = parseCreateEntryRequest(await message.readBody(maxRekorV2RequestBytes))
        const entry = await checkEntryV2(request, rules)
        const added = await log.add({ leaf: entry.body, extra: entry.supplement })
        options.onAdded?.()
        return json(201, answerOf(logId, entry, added))
      } catch (error) {
        return answerFailure(error, options.onError)
      }
    },
  }
  mountExchange(routes, exchange)
  routes.get(`${prefix}${rekorV2CheckpointPath}`, (context) => read(() => answerCheckpoint(context.req.raw, log)))
  routes.get(`${prefix}/api/v2/tile/*`, (context) =>
    read(() => answerTile(context.req.raw, log, context.req.path.slice(`${prefix}/api/v2/`.length))),
  )

  async function read(answer: () => Promise<Response>): Promise<Response> {
    try {
      return await answer()
    } catch (error) {
      return responseOf(answerFailure(error, options.onError))
    }
  }

  return { routes, exchanges: [exchange] }
}

/** The answer for an entry that is in the log. The same entry added again has the same place in it. */
function answerOf(logId: Uint8Array, { kind, version, body }: CheckedEntry, { index, inclusion }: AddedEntry): string {
  const { head, hashes } = inclusion
  return encodeTransparencyLogEntry({
    logIndex: index,
    logId,
    kind,
    version,
    integratedTime: 0n,
    signedEntryTimestamp: undefined,
    inclusionProof: { logIndex: index, treeSize: head.size, rootHash: head.rootHash, hashes, checkpoint: head.checkpoint },
    body,
  })
}

/**
 * Clients find the log's key by its host name, so the origin must be one. What looks like `<name> - <number>` is taken for Rekor
 * v1 by sigstore-go.
 */
function checkOrigin(origin: string): void {
  if (/^[a-zA-Z0-9.:[\]-]+$/.test(origin)) return
  throw new CountersignError(
    'CONFIGURATION_INVALID',
    `the origin of a Rekor v2 log is the bare host name of its URL, found ${JSON.stringify(origin)}`,
  )
}

/** What is wrong with the request is the client's to know; what is wrong with us is not. */
function answerFailure(error: unknown, onError: RekorV2Options['onError']): ExchangeAnswer {
  if (error instanceof CountersignError) {
    switch (error.code) {
      case 'LOG_OVERLOADED':
        return failure(503, grpcCode.unavailable, 'reached max pushback; retry', { 'retry-after': '1' })
      case 'LOG_FROZEN':
        return frozen()
      case 'TOO_LARGE':
        return failure(413, grpcCode.invalidArgument, error.message)
      case 'NOT_FOUND':
        return failure(404, grpcCode.notFound, error.message)
      case 'REQUEST_INVALID':
      case 'SIGNATURE_INVALID':
        return failure(400, grpcCode.invalidArgument, `invalid hashedrekord request: ${error.message}`)
      default:
        if (error instanceof DecodingError || error instanceof VerificationError)
          return failure(400, grpcCode.invalidArgument, `invalid hashedrekord request: ${error.message}`)
    }
  }
  onError?.(error)
  return failure(500, grpcCode.unknown, 'failed to integrate entry')
}

function frozen(): ExchangeAnswer {
  const body = 'This log has been frozen, please switch to the latest log.\n'
  return { status: 405, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function failure(status: number, code: number, message: string, headers: Record<string, string> = {}): ExchangeAnswer {
  return json(status, encodeRekorV2Error({ code, message }), headers)
}

function json(status: number, body: string, headers: Record<string, string> = {}): ExchangeAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}
