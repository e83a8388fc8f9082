/** The user's browser. */
import type { Environment } from '../../http/environment.ts'
import { variableOf } from '../../http/environment.ts'
import { otherVariables, sigstoreVariables } from '../environment-variables.ts'

/** A browser's starter that ends within this time, as failed, has found none. */
const patienceMs = 2_000

/** Whether this machine is likely to have a browser that somebody sees. */
export function hasBrowser(env: Environment): boolean {
  if (variableOf(env, 'BROWSER') !== undefined || process.platform === 'darwin' || process.platform === 'win32') return true
  return variableOf(env, 'DISPLAY', 'WAYLAND_DISPLAY') !== undefined
}

/**
 * Opens an address in the browser that BROWSER names, or the system's.
 * @returns whether one was started
 */
export async function openBrowser(address: string, env: Environment): Promise<boolean> {
  // Whatever the issuer calls its endpoint, only a web page is opened.
  if (!/^https?:\/\//.test(address)) return false
  const { spawn } = await import('node:child_process')
  const [program, ...words] = starter(env)
  return new Promise((resolve) => {
    const child = spawn(program, [...words, address], { detached: true, stdio: 'ignore', env: withoutSecrets(env) })
    const timer = setTimeout(() => resolve(true), patienceMs)
    const settle = (started: boolean): void => {
      clearTimeout(timer)
      resolve(started)
    }
    child.once('error', () => settle(false))
    child.once('exit', (code) => settle(code === 0))
    child.unref()
  })
}

/** Our own settings and everybody's secrets are nothing to a browser, which hands its environment on. Its proxy is, password and all. */
function withoutSecrets(env: Environment): Record<string, string> {
  const secrets = new Set([...sigstoreVariables, ...otherVariables].flatMap(({ name, sensitive }) => (sensitive === true ? [name] : [])))
  const isKept = (name: string): boolean => /_PROXY$/i.test(name) || !(secrets.has(name) || /^(?:COSIGN|COUNTERSIGN|SIGSTORE)_/.test(name))
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value !== undefined && isKept(name) ? [[name, value]] : [])))
}

function starter(env: Environment): readonly [string, ...string[]] {
  const chosen = variableOf(env, 'BROWSER')
  if (chosen !== undefined) return [chosen]
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return ['xdg-open']
}
