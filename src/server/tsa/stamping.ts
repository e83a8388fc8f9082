/** Making timestamps of requests as they came: all of an authority's work that needs neither the clock nor the network. */
import type { TimestampRequest } from '../../api/timestamp.ts'
import { encodeTimestampReply, parseTimestampJson, parseTimestampRequest } from '../../api/timestamp.ts'
import type { LocalSigner } from '../../crypto/signer.ts'
import { concatBytes } from '../../encoding/bytes.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { createTimestampTokenWriter } from '../../x509/timestamp-token-writer.ts'
import { newSerialNumber } from '../serial-number.ts'
import type { SigningSetup } from '../threads/signing.ts'
import { signerOf } from '../threads/signing.ts'
import type { Task, Work } from '../threads/task.ts'
import { acceptRequest } from './acceptance.ts'

/** What an authority puts into its timestamps. */
export interface StampingRules {
  /** Object identifier of the policy that tokens are issued under. */
  readonly policy: string
  /** Further policies that a request may name. */
  readonly acceptedPolicies: readonly string[]
  /** Whether tokens bring the issuers along too, when the request asks for certificates. */
  readonly includeChain: boolean
}

/** How a request is written: JSON, or a TimeStampReq. */
export type RequestForm = 'json' | 'der'

/** A request and the time that its timestamp is to state, in epoch milliseconds. */
export interface StampInput {
  readonly form: RequestForm
  readonly genTime: number
  readonly body: Uint8Array
}

/**
 * Stamps a request. @returns a TimeStampResp, DER
 * @throws CountersignError REQUEST_REFUSED with the message that goes over the wire
 */
export type Stamp = (request: TimestampRequest, genTime: number) => Uint8Array

/**
 * Makes the function that stamps.
 * @param chain the signer's certificate first, the root last
 * @throws UsageError as `createTimestampTokenWriter`
 */
export function createStamping(signer: LocalSigner, chain: readonly Certificate[], rules: StampingRules): Stamp {
  const { policy, acceptedPolicies, includeChain } = rules
  const [certificate] = chain
  if (certificate === undefined) throw new TypeError('an authority has a certificate')
  const brought = (includeChain ? chain : [certificate]).map(({ bytes }) => bytes)
  const writers = new Map(
    [policy, ...acceptedPolicies].map((oid) => [oid, createTimestampTokenWriter({ signer, certificate, policy: oid })]),
  )
  return (request, genTime) => {
    const { imprint, write } = acceptRequest(request, writers, policy)
    const info = { imprint, genTime, serialNumber: newSerialNumber(), nonce: request.nonce }
    return encodeTimestampReply({ status: 'granted', token: write(info, request.certReq ? brought : []) })
  }
}

/** Stamping as work: the input as `encodeStampInput` writes it. It throws DecodingError too. */
export function stampingWork(stamp: Stamp): Work {
  return (input) => {
    const { form, genTime, body } = decodeStampInput(input)
    return stamp(parsers[form](body), genTime)
  }
}

/** What another thread stamps with. */
export interface StampingSetup extends StampingRules {
  readonly signing: SigningSetup
  readonly chain: readonly Uint8Array[]
}

export const stampingTask: Task<StampingSetup> = {
  name: 'stamp',
  create: ({ signing, chain, ...rules }) => stampingWork(createStamping(signerOf(signing), chain.map(parseCertificate), rules)),
}

const parsers: Readonly<Record<RequestForm, (body: Uint8Array) => TimestampRequest>> = {
  json: parseTimestampJson,
  der: parseTimestampRequest,
}
const headSize = 9

/** The input of stamping: the form in one octet, the time in eight, the body. */
export function encodeStampInput({ form, genTime, body }: StampInput): Uint8Array {
  const head = new DataView(new ArrayBuffer(headSize))
  head.setUint8(0, form === 'json' ? 0 : 1)
  head.setFloat64(1, genTime)
  return concatBytes(new Uint8Array(head.buffer), body)
}

function decodeStampInput(input: Uint8Array): StampInput {
  const head = new DataView(input.buffer, input.byteOffset, headSize)
  return { form: head.getUint8(0) === 0 ? 'json' : 'der', genTime: head.getFloat64(1), body: input.subarray(headSize) }
}
