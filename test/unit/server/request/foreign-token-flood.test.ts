import { describe, expect, test } from 'vitest'
import { encodeBase64Url } from '../../../../src/encoding/base64.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { CountersignError } from '../../../../src/error.ts'
import type { HttpResponse } from '../../../../src/http/fetch.ts'
import { createForeignTokenVerifier } from '../../../../src/server/request/foreign-token.ts'

const part = (value: object): string => encodeBase64Url(encodeUtf8(JSON.stringify(value)))

/** A token whose form is right, of an issuer of the family `https://*.forge.example`. */
function tokenOf(name: string): string {
  return tokenOfIssuer(`https://${name}.forge.example`)
}

function tokenOfIssuer(iss: string): string {
  return `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss })}.${encodeBase64Url(new Uint8Array(64))}`
}

/** A verifier whose issuers do not answer before they are let. */
function verifierOfSlowIssuers() {
  let sent = 0
  const waiting: (() => void)[] = []
  const { verify } = createForeignTokenVerifier({
    clock: () => 0,
    find: (url) => {
      const isOfFamily = /^https:\/\/[a-z0-9]+\.forge\.example$/.test(url)
      return isOfFamily || url === 'https://named.example' ? { url, audience: 'sigstore', hosts: [], isOfFamily } : undefined
    },
    send: () => {
      sent++
      return new Promise<HttpResponse>((_, reject) => {
        waiting.push(() => reject(new CountersignError('NETWORK_FAILED', 'nobody is there')))
      })
    },
  })
  return { verify, sent: () => sent, fail: () => waiting.splice(0).forEach((failNow) => failNow()) }
}

describe('tokens of made up issuers of a family', () => {
  test('send at most 100 requests at the same time; the others are refused at once, and later asked for', async () => {
    const issuers = verifierOfSlowIssuers()
    const first = Array.from({ length: 100 }, (_, number) => issuers.verify(tokenOf(`i${number}`)))
    await expect(issuers.verify(tokenOf('onetoomany'))).rejects.toThrow(/too many other issuers/)
    expect(issuers.sent()).toBe(100)
    const again = issuers.verify(tokenOf('i0'))
    expect(issuers.sent()).toBe(100)
    issuers.fail()
    const ends = await Promise.allSettled([...first, again])
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
    const late = issuers.verify(tokenOf('onetoomany'))
    expect(issuers.sent()).toBe(101)
    issuers.fail()
    await expect(late).rejects.toThrow('nobody is there')
  })

  test('do not keep an issuer that the configuration names from being asked', async () => {
    const issuers = verifierOfSlowIssuers()
    const flood = Array.from({ length: 100 }, (_, number) => issuers.verify(tokenOf(`i${number}`)))
    const named = issuers.verify(tokenOfIssuer('https://named.example'))
    expect(issuers.sent()).toBe(101)
    issuers.fail()
    await expect(named).rejects.toThrow('nobody is there')
    await Promise.allSettled(flood)
  })
})
