/** Identity tokens as a client reads them: which are refused before anybody is asked, and what a refusal may tell. */
import { describe, expect, it } from 'vitest'
import { CountersignError } from '../../../src/error.ts'
import { describeToken, looksLikeToken, parseIdentityToken } from '../../../src/identity/token.ts'
import { unsignedToken } from '../../support/token-services.ts'

const now = Date.UTC(2026, 6, 1)
const seconds = now / 1000
const good = { iss: 'https://issuer.example', sub: 'a-subject', aud: 'sigstore', iat: seconds, exp: seconds + 300 }
const tokenWith = (claims: Record<string, unknown>): string => unsignedToken({ ...good, ...claims })

function refusalOf(text: string): string {
  try {
    parseIdentityToken(text, now)
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'TOKEN_INVALID') throw error
    expect(error.message).toMatch(/^the identity token cannot be used: [^\n]+$/)
    expect(error.message).not.toContain(text.slice(0, 20) || 'nothing')
    return error.message
  }
  throw new Error('it was taken')
}

describe('a token', () => {
  it('is about its e-mail address, or else its subject', () => {
    expect(parseIdentityToken(tokenWith({}), now)).toMatchObject({ principal: 'a-subject', email: undefined, audiences: ['sigstore'] })
    const person = tokenWith({ email: 'alice@example.com', email_verified: true, aud: ['sigstore', 'x'] })
    expect(parseIdentityToken(`${person}\n`, now)).toMatchObject({
      raw: person,
      principal: 'alice@example.com',
      audiences: ['sigstore', 'x'],
      expires: now + 300_000,
    })
  })

  it.each([
    ['nothing', '', 'it is not a JSON Web Token of three parts'],
    ['two parts', 'e30.e30', 'it is not a JSON Web Token of three parts'],
    ['five parts, encrypted', `${tokenWith({})}.e30.e30`, 'it is not a JSON Web Token of three parts'],
    ['an unsigned one', tokenWith({}).replace(/[^.]*$/, ''), 'it is not a JSON Web Token of three parts'],
    [
      'one with a claim twice',
      `${tokenWith({}).split('.')[0]}.${Buffer.from('{"iss":"a","iss":"b"}').toString('base64url')}.c2ln`,
      'three parts',
    ],
    ['no end of letters', 'x'.repeat(65_537), 'it is 65537 characters long, more than the limit of 65536'],
    ['no issuer', tokenWith({ iss: undefined }), 'it names no issuer (iss)'],
    ['an issuer that is no text', tokenWith({ iss: ['https://issuer.example'] }), 'it names no issuer (iss)'],
    ['no expiry', tokenWith({ exp: undefined }), 'it has no time of expiry (exp)'],
    ['an expiry in milliseconds', tokenWith({ exp: now }), 'it has no time of expiry (exp)'],
    [
      'one that has expired',
      tokenWith({ exp: seconds }),
      'it expired at 2026-07-01T00:00:00.000Z, and it is 2026-07-01T00:00:00.000Z now; get a new one',
    ],
    [
      'one of tomorrow',
      tokenWith({ nbf: seconds + 86_400, exp: seconds + 90_000 }),
      'it is not valid before 2026-07-02T00:00:00.000Z, and it is 2026-07-01',
    ],
    ['one of never', tokenWith({ nbf: Number.MAX_SAFE_INTEGER }), 'it is not valid before the year 275760'],
    [
      'an address that nobody verified',
      tokenWith({ email: 'alice@example.com', email_verified: false }),
      'its e-mail address is not verified by the issuer "https://issuer.example"',
    ],
    ['an address of which nothing is said', tokenWith({ email: 'alice@example.com' }), 'its e-mail address is not verified'],
    ['nobody', tokenWith({ sub: undefined }), 'it names neither an e-mail address (email) nor a subject (sub)'],
    ['a subject that is no text', tokenWith({ sub: 7 }), 'it names neither'],
  ])('with %s is refused', (_, text, reason) => {
    expect(refusalOf(text)).toContain(reason)
  })

  it('is taken although the clock here is a little behind the issuer', () => {
    expect(parseIdentityToken(tokenWith({ nbf: seconds + 240 }), now).principal).toBe('a-subject')
  })
})

it('says in a refusal whom it is for, and whom it should be for', () => {
  expect(describeToken(parseIdentityToken(tokenWith({}), now))).toBe(
    'a token of the issuer "https://issuer.example" for the audience "sigstore", valid until 2026-07-01T00:05:00.000Z',
  )
  expect(describeToken(parseIdentityToken(tokenWith({ aud: 'https://github.com/x' }), now))).toContain(
    'for the audience "https://github.com/x" (certificate authorities expect "sigstore" as a rule)',
  )
  expect(describeToken(parseIdentityToken(tokenWith({ aud: undefined }), now))).toContain('for no audience (')
})

it.each(['a.b.c', 'the name of a file', '../token', 'e30.e30.e30', ''])('is not seen in %j', (text) => {
  expect(looksLikeToken(text)).toBe(false)
})
