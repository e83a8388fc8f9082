/** JWT-SVIDs of a SPIFFE workload, from the agent's Unix socket (SPIFFE Workload API, "JWT-SVID Profile"). */
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { variableOf } from '../../http/environment.ts'
import { callGrpc } from '../../http/unix-grpc.ts'
import type { Surroundings, TokenSource } from '../token-source.ts'
import { maxAnswerBytes, noToken } from '../token-source.ts'

const title = 'the SPIFFE workload API'
const defaultSocket = '/tmp/spire-agent/public/api.sock'

export const spiffeSource: TokenSource = {
  name: 'spiffe',
  title,
  takesAudience: true,
  isOffered: async ({ env, files }) => variableOf(env, 'SPIFFE_ENDPOINT_SOCKET') !== undefined || files.exists(defaultSocket),
  async fetch({ audience, timeoutMs, signal, ...surroundings }) {
    const socket = socketOf(surroundings)
    let answer: Uint8Array
    try {
      answer = await callGrpc({
        socket,
        method: '/SpiffeWorkloadAPI/FetchJWTSVID',
        // Without it the agent must refuse: it keeps browsers and proxies from asking.
        metadata: { 'workload.spiffe.io': 'true' },
        message: field(1, encodeUtf8(audience)),
        timeoutMs,
        maxBytes: maxAnswerBytes,
        signal,
      })
    } catch (cause) {
      if (cause instanceof CountersignError && cause.code === 'ABORTED') throw cause
      throw noToken(`${title} gave no identity token: ${messageOf(cause)}`, cause)
    }
    // JWTSVIDResponse { repeated JWTSVID svids = 1 }, JWTSVID { string svid = 2 }; the first is the default identity.
    const svid = readField(answer, 1)
    const token = svid === undefined ? undefined : readField(svid, 2)
    if (token === undefined) throw noToken(`${title} gave no identity token: its answer has none`)
    return decodeUtf8(token, 'the JWT-SVID')
  },
}

/** `unix:///run/agent.sock`, `unix:/run/agent.sock` or the path alone. */
function socketOf({ env, files }: Surroundings): string {
  const address = variableOf(env, 'SPIFFE_ENDPOINT_SOCKET') ?? files.locate(defaultSocket)
  const path = address.replace(/^unix:(?:\/\/)?/, '')
  if (path.startsWith('/')) return path
  throw noToken('SPIFFE_ENDPOINT_SOCKET should be the absolute path of a Unix socket, such as unix:///run/spire/agent.sock')
}

/** A length-delimited field of a protobuf message. */
function field(number: number, value: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of((number << 3) | 2), varint(value.length), value)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Uint8Array.from([...bytes, rest])
}

/** The first length-delimited field with this number. Fields of other kinds are not in these messages. */
function readField(message: Uint8Array, number: number): Uint8Array | undefined {
  let at = 0
  const readVarint = (): number => {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = message[at++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw noToken(`${title} answered what is no protobuf message`)
  }
  while (at < message.length) {
    const tag = readVarint()
    const end = (tag & 7) === 2 ? readVarint() + at : Number.POSITIVE_INFINITY
    if (end > message.length) throw noToken(`${title} answered what is no protobuf message`)
    if (tag >>> 3 === number) return message.subarray(at, end)
    at = end
  }
  return undefined
}
