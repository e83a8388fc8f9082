/** The program behind `plugin.ts`: the plugin protocol v1 of sigstore/sigstore, from the side of the plugin. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { appendFileSync, copyFileSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { loadEd25519ph } from '../../../src/crypto/ed25519ph.ts'
import { signAsHolder } from './holder.ts'

interface Question {
  readonly initOptions: { readonly protocolVersion: string; readonly keyResourceID: string; readonly hashFunc: number }
  readonly methodName: string
  readonly createKey?: { readonly algorithm: string }
  readonly signMessage?: { readonly signOptions: { readonly messageOptions: { readonly digest?: string; readonly hashFunc?: number } } }
}

const folder = process.env['TEST_HSM'] ?? ''
const keys = path.join(folder, 'keys')
const fault = readFileSync(path.join(folder, 'fault'), 'utf8')
appendFileSync(path.join(folder, 'log'), `${process.argv[2]}\n`)

const print = (answer: unknown): void => void process.stdout.write(JSON.stringify(answer))

if (fault === 'hang up') process.kill(process.pid, 'SIGKILL')
else if (fault === 'garbage') process.stdout.write('{"publicKey":')
else if (fault === 'nothing in it') print({})
else if (fault === 'too much') process.stdout.write('x'.repeat(3_000_000))
else if (fault === 'refuse') print({ errorMessage: 'the door is\nlocked' })
else void answer(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '') as Question)

async function answer(version: string, question: Question): Promise<void> {
  const { initOptions, methodName } = question
  if (version !== 'v1' || initOptions.protocolVersion !== 'v1') return print({ errorMessage: `version ${version}` })
  const file = path.join(keys, initOptions.keyResourceID)
  if (methodName === 'supportedAlgorithms') return print({ supportedAlgorithms: { supportedAlgorithms: supported() } })
  if (methodName === 'defaultAlgorithm') return print({ defaultAlgorithm: { defaultAlgorithm: 'ecdsa-p256' } })
  if (methodName === 'createKey' && !existsSync(file)) copyFileSync(path.join(keys, `new-${question.createKey?.algorithm}`), file)
  if (!existsSync(file)) return print({ errorMessage: 'no such key' })
  const native = createPrivateKey(readFileSync(file))
  if (methodName === 'signMessage') {
    const { digest, hashFunc } = question.signMessage?.signOptions.messageOptions ?? {}
    const signer = fault === 'other key' ? createPrivateKey(readFileSync(path.join(keys, 'other', initOptions.keyResourceID))) : native
    if (hashFunc !== undefined && hashFunc !== initOptions.hashFunc) return print({ errorMessage: 'two hash functions' })
    const signature = await signMessage(signer, digest, hashFunc)
    print({ signMessage: { signature: Buffer.from(signature).toString('base64') } })
    process.exitCode = 3
    return
  }
  const pem = createPublicKey(native).export({ type: 'spki', format: 'pem' }).toString()
  print({ [methodName]: { publicKeyPEM: Buffer.from(pem).toString('base64') } })
}

/** Signs the digest. Where a message came too, it must be of it. */
async function signMessage(key: ReturnType<typeof createPrivateKey>, digest: string | undefined, hashFunc = 5): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) chunks.push(chunk)
  const message = Buffer.concat(chunks)
  if (digest === undefined) return sign(null, message, key)
  await loadEd25519ph()
  const name = ({ 5: 'sha256', 6: 'sha384', 7: 'sha512' } as const)[hashFunc] ?? 'sha256'
  const value = Buffer.from(digest, 'base64')
  if (message.length > 0 && !createHash(name).update(message).digest().equals(value))
    throw new Error('the digest is not that of the message')
  const scheme = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'ecdsa'
  return signAsHolder(key, scheme, name, value)
}

function supported(): readonly string[] {
  return ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519']
}
