/** AWS KMS, as far as keys that sign are concerned (AWS JSON 1.1). */
import type { KeyObject } from 'node:crypto'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import { keyStore } from '../../../src/keys/kms/aws.ts'
import { startInternet } from '../internet.ts'
import type { InternetAnswer, InternetRequest } from '../internet.ts'
import { signAsHolder, spkiOf, testKey } from './holder.ts'
import type { Digest, Scheme } from './holder.ts'
import type { Fault, StoreKind } from './store.ts'

const specs: Readonly<Record<string, KeyKind>> = {
  ECC_NIST_P256: 'ecdsa-p256',
  ECC_NIST_P384: 'ecdsa-p384',
  ECC_NIST_P521: 'ecdsa-p521',
  RSA_2048: 'rsa-2048',
  RSA_3072: 'rsa-3072',
  ECC_NIST_EDWARDS25519: 'ed25519',
}
const ecdsaAlgorithms: Readonly<Partial<Record<KeyKind, string>>> = {
  'ecdsa-p256': 'ECDSA_SHA_256',
  'ecdsa-p384': 'ECDSA_SHA_384',
  'ecdsa-p521': 'ECDSA_SHA_512',
}
const rsaAlgorithms = ['RSASSA_PKCS1_V1_5', 'RSASSA_PSS'].flatMap((scheme) => ['256', '384', '512'].map((bits) => `${scheme}_SHA_${bits}`))

export const awsStore: StoreKind = {
  name: 'AWS KMS',
  kinds: ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'],
  makes: ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'],
  pss: 'asked',
  signsEd25519ph: true,
  faults: ['refuse', 'hang up', 'other key', 'garbage', 'nothing in it', 'too much'],
  unknown: 'awskms:///alias/unknown',
  fresh: 'awskms:///alias/fresh',
  malformed: [
    'awskms://alias/x',
    'awskms:///',
    'awskms:///not-an-id',
    'awskms:///alias/',
    'awskms:///alias/a b',
    'awskms://user@host/alias/x',
    'awskms:///arn:aws:s3:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'awskms:///arn:aws:kms:us-east-1:1111:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ],
  secrets: ['the-aws-secret', 'the-aws-session'],
  source: { file: 'src/keys/kms/aws.ts', needs: '@aws-sdk/client-kms' },
  async start() {
    const keys = new Map<string, { kind: KeyKind; native: KeyObject }>()
    let asked = 0
    const running = { fault: 'none' as Fault }
    const internet = await startInternet(['kms.eu-central-1.amazonaws.com', 'kms.us-west-2.amazonaws.com'], (request) => {
      asked++
      return answer(request, keys, running.fault)
    })
    return Object.assign(running, {
      keyStore,
      env: {
        ...internet.env,
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'AKIATEST',
        AWS_SECRET_ACCESS_KEY: 'the-aws-secret',
        AWS_SESSION_TOKEN: 'the-aws-session',
      },
      asked: () => asked,
      hold(kind: KeyKind) {
        const native = testKey(kind)
        keys.set(`alias/${kind}`, { kind, native })
        return { reference: `awskms:///alias/${kind}`, native }
      },
      close: () => internet.close(),
    })
  },
}

function answer(
  { headers, body }: InternetRequest,
  keys: Map<string, { kind: KeyKind; native: KeyObject }>,
  fault: Fault,
): InternetAnswer | undefined {
  if (fault === 'hang up') return undefined
  if (fault === 'garbage') return { body: '{"KeyId":' }
  if (fault === 'nothing in it') return { body: '{}' }
  if (fault === 'too much') return { body: JSON.stringify({ KeyId: 'x'.repeat(1_000_000) }) }
  if (!String(headers.authorization).includes('/kms/aws4_request') || headers['x-amz-security-token'] !== 'the-aws-session') {
    return refuse(403, 'IncompleteSignatureException', 'not signed')
  }
  if (fault === 'refuse') return refuse(400, 'AccessDeniedException', 'User is not authorized to perform this')
  const asked = JSON.parse(Buffer.from(body).toString()) as Record<string, string>
  const action = String(headers['x-amz-target']).replace('TrentService.', '')
  if (action === 'CreateKey') {
    const kind = specs[asked['KeySpec'] ?? '']
    if (kind === undefined || asked['KeyUsage'] !== 'SIGN_VERIFY') return refuse(400, 'ValidationException', 'wrong spec')
    keys.set('new-id', { kind, native: testKey(kind, 'new') })
    return { body: JSON.stringify({ KeyMetadata: { KeyId: 'new-id' } }) }
  }
  if (action === 'CreateAlias') {
    const key = keys.get(asked['TargetKeyId'] ?? '')
    if (key !== undefined) keys.set(asked['AliasName'] ?? '', key)
    return { body: '{}' }
  }
  const key = keys.get(asked['KeyId'] ?? '')
  if (key === undefined) return refuse(400, 'NotFoundException', `Alias ${asked['KeyId']} is not found.`)
  const offered =
    key.kind === 'ed25519'
      ? ['ED25519_SHA_512', 'ED25519_PH_SHA_512']
      : key.kind.startsWith('rsa')
        ? rsaAlgorithms
        : [ecdsaAlgorithms[key.kind] ?? '']
  if (action === 'GetPublicKey') {
    const body = {
      KeyId: asked['KeyId'],
      PublicKey: spkiOf(key.native).toString('base64'),
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: offered,
    }
    return { body: JSON.stringify(body) }
  }
  const algorithm = asked['SigningAlgorithm'] ?? ''
  if (!offered.includes(algorithm)) return refuse(400, 'InvalidKeyUsageException', `${algorithm} is not for this key`)
  const isPure = algorithm === 'ED25519_SHA_512'
  if (asked['MessageType'] !== (isPure ? 'RAW' : 'DIGEST')) return refuse(400, 'ValidationException', 'wrong message type')
  const scheme: Scheme = algorithm.startsWith('ED')
    ? 'ed25519'
    : algorithm.startsWith('EC')
      ? 'ecdsa'
      : algorithm.includes('PSS')
        ? 'pss'
        : 'pkcs1'
  const signer = fault === 'other key' ? testKey(key.kind, 'other') : key.native
  const digest = isPure ? undefined : (`sha${algorithm.slice(-3)}` as Digest)
  const signature = signAsHolder(signer, scheme, digest, Buffer.from(asked['Message'] ?? '', 'base64'))
  return { body: JSON.stringify({ Signature: Buffer.from(signature).toString('base64'), SigningAlgorithm: algorithm }) }
}

function refuse(status: number, type: string, message: string): InternetAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify({ __type: type, message }) }
}
