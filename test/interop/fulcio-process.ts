/** The real fulcio as a process of its own, with an authority in files and without a log. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePort } from '../support/free-port.ts'

export interface FulcioProcess {
  readonly url: string
  stop(): void
}

/**
 * Starts it.
 * @param folder for its files; the caller removes it
 * @param issuers its configuration, YAML
 */
export async function startFulcio(program: string, folder: string, issuers: string): Promise<FulcioProcess> {
  const file = (name: string): string => path.join(folder, name)
  openssl(
    folder,
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=fulcio -days 30 -passout pass:interop -keyout key.pem -out cert.pem -addext keyUsage=critical,keyCertSign,cRLSign',
  )
  writeFileSync(file('issuers.yaml'), issuers)
  const [port, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()]
  const words = `serve --host 127.0.0.1 --port ${port} --grpc-host 127.0.0.1 --grpc-port ${grpcPort} --metrics-port ${metricsPort} --ca fileca --fileca-key-passwd interop --fileca-watch=false --log_type prod`
  const files = [
    '--config-path=issuers.yaml',
    '--fileca-cert=cert.pem',
    '--fileca-key=key.pem',
    '--ct-log-url=',
    `--legacy-unix-domain-socket=${file('grpc')}`,
  ]
  const child = spawn(program, [...words.split(' '), ...files], { stdio: 'ignore', cwd: folder })
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await fetch(`${url}/api/v2/configuration`).catch(() => undefined))?.ok === true)
      return { url, stop: () => void child.kill('SIGKILL') }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill('SIGKILL')
  throw new Error('fulcio does not answer')
}

/** Makes a signing request with openssl, PEM; one that is not good has another signature than its own. */
export function makeSigningRequest(folder: string, isGood: boolean): Uint8Array {
  openssl(folder, 'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ignored -keyout client.pem -out client.csr')
  const pem = readFileSync(path.join(folder, 'client.csr'))
  if (isGood) return pem
  const lines = pem.toString().trim().split('\n')
  const bytes = Buffer.from(lines.slice(1, -1).join(''), 'base64')
  const last = bytes.length - 1
  bytes[last] = (bytes[last] ?? 0) ^ 1
  return Buffer.from(`${lines[0] ?? ''}\n${bytes.toString('base64')}\n${lines.at(-1) ?? ''}\n`)
}

function openssl(folder: string, words: string): void {
  const { status, stderr } = spawnSync('openssl', words.split(' '), { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl: ${stderr}`)
}
