/** The sign-in of our own command line against our own issuer: what one sends the other must take. */
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signIn } from '../../../../src/identity/sign-in.ts'
import type { SignInFlow, SignInOptions } from '../../../../src/identity/sign-in-step.ts'
import { createMachineSecret } from '../../../../src/server/issuer/machine-clients.ts'
import type { RunningIssuer } from '../../../support/issuer.ts'
import { openBrowser, runIssuer } from '../../../support/issuer.ts'

const alice = { email: 'alice@example.com', password: 'correct horse battery' }
const builder = createMachineSecret()
let running: RunningIssuer

beforeAll(async () => {
  running = await runIssuer({
    settings: { machines: [{ id: 'builder', 'secret-hash': builder.secretHash, email: 'builder@example.com' }] },
  })
  await running.issuer.users.add(alice)
})
afterAll(() => running.stop())

/** Somebody who signs in wherever the program sends them. */
function person(canOpen: boolean): SignInOptions['terminal'] {
  let address = ''
  const visit = async (): Promise<string> => {
    const browser = openBrowser()
    const first = await browser.open(address)
    const page = first.text.includes('Does your device show') ? await browser.proceed(first) : first
    const end = await browser.proceed(page, alice)
    if (end.location !== undefined) await fetch(end.location)
    return /id="code">([^<]+)</.exec(end.text)?.[1] ?? ''
  }
  return {
    isInteractive: true,
    say: (line) => {
      address = /https?:\S+/.exec(line)?.[0] ?? address
    },
    print: (line) => {
      const [link] = /https?:\S+/.exec(line) ?? []
      if (link === undefined) return
      address = link
      void visit()
    },
    openBrowser: async () => {
      if (canOpen) void visit()
      return canOpen
    },
    readLine: () => visit(),
  }
}

const options = (flow: SignInFlow, terminal: SignInOptions['terminal']): SignInOptions => ({
  issuer: running.url,
  clientId: 'sigstore',
  clientSecret: undefined,
  env: {},
  flow,
  terminal,
})

describe('our command line signs in', () => {
  test('with a browser', async () => {
    expect(decodeJwt(await signIn(options('normal', person(true))))).toMatchObject({
      aud: 'sigstore',
      email: alice.email,
      email_verified: true,
    })
  })

  test('with a code that is carried over from a browser elsewhere', async () => {
    expect(decodeJwt(await signIn(options('normal', person(false))))).toMatchObject({ aud: 'sigstore', email: alice.email })
  })

  test('with a device code', async () => {
    expect(decodeJwt(await signIn(options('device', person(true))))).toMatchObject({ aud: 'sigstore', email: alice.email })
  })

  test('with the secret of a machine', async () => {
    const machine = { ...options('client_credentials', person(false)), clientId: 'builder', clientSecret: builder.secret }
    expect(decodeJwt(await signIn(machine))).toMatchObject({ aud: ['sigstore', 'builder'], azp: 'builder', email: 'builder@example.com' })
  })
})
