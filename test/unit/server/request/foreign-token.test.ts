import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ForeignIssuer, ForeignTokenVerifier } from '../../../../src/server/request/foreign-token.ts'
import { createForeignTokenVerifier } from '../../../../src/server/request/foreign-token.ts'
import { errorFields } from '../../../../src/server/request-log.ts'
import { CountersignError, TransportError } from '../../../../src/error.ts'
import type { TestIssuer, TestWeb } from '../../../support/foreign-issuer.ts'
import { base64Url, jwkOf, noise, signToken, testIssuer, testWeb } from '../../../support/foreign-issuer.ts'
import { namedKey } from '../../../support/universe/keys.ts'
import { epoch } from '../../../support/universe/services.ts'

const url = 'https://issuer.test'
const discovery = `${url}/.well-known/openid-configuration`
const issuer = testIssuer(url, epoch)
const other = testIssuer('https://other.test', epoch)
const seconds = epoch / 1000

let web: TestWeb
let now: number
let verifier: ForeignTokenVerifier

beforeEach(() => {
  web = testWeb(issuer, other)
  now = epoch
  verifier = verifierOf({})
})

function verifierOf(settings: Partial<ForeignIssuer>): ForeignTokenVerifier {
  return createForeignTokenVerifier({
    find: (name) => {
      if (name !== url && name !== other.url && !name.startsWith('https://family.test/')) return undefined
      return { url: name, hosts: [], audience: 'sigstore', ...settings }
    },
    requiredClaims: ['exp'],
    clock: () => now,
    send: web.send,
  })
}

/** Why a token is refused. */
async function refusal(token: string, by = verifier): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await by.verify(token)
  } catch (error) {
    expect(error).toBeInstanceOf(CountersignError)
    return error as CountersignError
  }
  throw new Error('it was accepted')
}

const accepted = async (token: string, by = verifier): Promise<unknown> => (await by.verify(token)).sub

describe('what the log is told of a malformed token', () => {
  const part = (text: string): string => base64Url(Buffer.from(text))
  it.each([
    ['header', 'secret*.e30.YQ'],
    ['payload', `${part('{"alg":"ES256"}')}.secret*.YQ`],
    ['JSON', `${part('{"alg":"ES256"}')}.${part(`{"iss":"${url}","email":secret}`)}.YQ`],
    ['claim', `${part('{"alg":"ES256"}')}.${part('{"secret":1,"secret":2}')}.YQ`],
    ['signature', `${part('{"alg":"ES256"}')}.${part(`{"iss":"${url}"}`)}.secret*`],
  ])('has nothing of its %s', async (_, token) => {
    const error = await refusal(token)
    expect(error.code).toBe('TOKEN_INVALID')
    expect(JSON.stringify(errorFields(error))).not.toContain('secret')
  })
})

describe('a token', () => {
  it('of a configured issuer is accepted, and its keys are fetched once', async () => {
    expect(await accepted(issuer.token({ sub: 'a' }))).toBe('a')
    expect(await accepted(issuer.token({ sub: 'b' }))).toBe('b')
    expect(web.asked).toEqual([discovery, `${url}/keys`])
    for (const options of web.options) expect(options).toMatchObject({ redirect: 'error', maxBytes: 256 * 1024, timeoutMs: 10_000 })
  })

  it.each(['p256', 'rsa'] as const)('may be signed with a %s key', async (kind) => {
    const mine = testIssuer(url, epoch, namedKey('issuer', kind))
    web.publish(mine)
    expect(await accepted(mine.token({ sub: 'a' }))).toBe('a')
  })

  it('may name several audiences of which one is ours', async () => {
    expect(await accepted(issuer.token({ sub: 'a', aud: ['x', 'sigstore'] }))).toBe('a')
  })

  it.each<[string, Record<string, unknown>]>([
    ['for another audience', { aud: 'npm' }],
    ['for other audiences', { aud: ['npm', 'pypi'] }],
    ['for an audience that begins as ours', { aud: 'sigstore.evil' }],
    ['for our audience in a list of a list', { aud: [['sigstore']] }],
    ['for an audience that is no text', { aud: { sigstore: true } }],
    ['for no audience', { aud: undefined }],
    ['for an empty list of audiences', { aud: [] }],
    ['that expired', { exp: seconds - 60 }],
    ['that never expires', { exp: undefined }],
    ['whose end is a text', { exp: String(seconds + 300) }],
    ['that is not valid yet', { nbf: seconds + 60 }],
    ['whose beginning is a text', { nbf: 'now' }],
  ])('%s is refused', async (_, claims) => {
    expect(await refusal(issuer.token({ sub: 'a', ...claims }))).toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it('that expired while it was on its way is accepted for half a minute', async () => {
    expect(await accepted(issuer.token({ sub: 'a', exp: seconds - 29 }))).toBe('a')
    expect(await accepted(issuer.token({ sub: 'a', nbf: seconds + 29 }))).toBe('a')
  })

  it.each([
    ['of an issuer that is not configured', testIssuer('https://evil.test', epoch).token({ sub: 'a' })],
    ['of an issuer with another spelling', issuer.token({ sub: 'a', iss: `${url}/` })],
    ['of an issuer in capitals', issuer.token({ sub: 'a', iss: 'https://ISSUER.test' })],
    ['of two issuers', issuer.token({ sub: 'a', iss: [url] })],
    ['of no issuer', issuer.token({ sub: 'a', iss: undefined })],
    ['whose issuer is an address inside', issuer.token({ sub: 'a', iss: 'http://169.254.169.254/latest' })],
  ])('%s is refused, and nobody is asked', async (_, token) => {
    expect(await refusal(token)).toMatchObject({ code: 'TOKEN_INVALID' })
    expect(web.asked).toEqual([])
  })

  it.each([
    ['none', signToken({ alg: 'none' }, { iss: url }, issuer.key)],
    ['none, without a signature', `${base64Url('{"alg":"none"}')}.${base64Url(`{"iss":"${url}"}`)}.`],
    ['None', signToken({ alg: 'None' }, { iss: url }, issuer.key)],
    ['nothing', signToken({}, { iss: url }, issuer.key)],
    ['a list', signToken({ alg: ['ES256'] }, { iss: url }, issuer.key)],
    ['HS256', signToken({ alg: 'HS256' }, { iss: url }, issuer.key)],
    ['RSA1_5', signToken({ alg: 'RSA1_5' }, { iss: url }, issuer.key)],
    ['ES256K', signToken({ alg: 'ES256K' }, { iss: url }, issuer.key)],
    ['toString', signToken({ alg: 'toString' }, { iss: url }, issuer.key)],
  ])('signed with %s is refused, and nobody is asked', async (_, token) => {
    expect(await refusal(token)).toMatchObject({ code: 'TOKEN_INVALID', message: expect.stringContaining('signed with') as string })
    expect(web.asked).toEqual([])
  })

  it('whose HMAC is keyed with the public key is refused', async () => {
    const claims = { iss: url, aud: 'sigstore', exp: seconds + 300, sub: 'a' }
    for (const secret of [issuer.key.pem, Buffer.from(issuer.key.spki), JSON.stringify(jwkOf(issuer.key, issuer.keyId))]) {
      const signed = `${base64Url(JSON.stringify({ alg: 'HS256', kid: issuer.keyId }))}.${base64Url(JSON.stringify(claims))}`
      const mac = createHmac('sha256', secret).update(signed).digest('base64url')
      expect(await refusal(`${signed}.${mac}`)).toMatchObject({ code: 'TOKEN_INVALID' })
    }
  })

  it('signed with an algorithm that its issuer does not name is refused', async () => {
    web.publish(issuer, { id_token_signing_alg_values_supported: ['RS256'] })
    expect(await refusal(issuer.token({ sub: 'a' }))).toMatchObject({ code: 'TOKEN_INVALID' })
    web.publish(other, { id_token_signing_alg_values_supported: undefined })
    expect(await refusal(other.token({ sub: 'a' }))).toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it.each([
    ["another issuer's key", signToken({ alg: 'ES256', kid: issuer.keyId }, { iss: url, aud: 'sigstore', exp: seconds + 300 }, other.key)],
    [
      "another issuer's key and its id",
      signToken({ alg: 'ES256', kid: other.keyId }, { iss: url, aud: 'sigstore', exp: seconds + 300 }, other.key),
    ],
    [
      'a key of its own in the header',
      signToken({ alg: 'ES256', jwk: jwkOf(other.key) }, { iss: url, aud: 'sigstore', exp: seconds + 300 }, other.key),
    ],
    [
      'a key at an address of its own',
      signToken({ alg: 'ES256', kid: 'x', jku: 'https://evil.test/keys' }, { iss: url, aud: 'sigstore', exp: seconds + 300 }, other.key),
    ],
    ['an unknown critical extension', issuer.token({ sub: 'a' }, { crit: ['x'], x: 1 })],
    ['an unencoded payload', issuer.token({ sub: 'a' }, { crit: ['b64'], b64: false })],
  ])('with %s is refused', async (_, token) => {
    expect(await refusal(token)).toMatchObject({ code: 'TOKEN_INVALID' })
    for (const asked of web.asked) expect(asked.startsWith(`${url}/`)).toBe(true)
  })

  it('with one bit flipped anywhere is refused', async () => {
    const token = issuer.token({ sub: 'a' })
    for (let at = 0; at < token.length; at += 3) {
      const bent = `${token.slice(0, at)}${String.fromCharCode(token.charCodeAt(at) ^ 1)}${token.slice(at + 1)}`
      expect((await refusal(bent)).code).toBe('TOKEN_INVALID')
    }
  })
})

describe('the form of a token', () => {
  const good = issuer.token({ sub: 'a' })
  const [head = '', payload = '', signature = ''] = good.split('.')
  const payloadOf = (text: string): string => signToken({ alg: 'ES256', kid: issuer.keyId }, text, issuer.key)

  it.each([
    ['nothing', ''],
    ['a word', 'token'],
    ['one dot', 'a.b'],
    ['two dots', '..'],
    ['three dots', `${good}.`],
    ['an encrypted token', `${good}.a.b`],
    ['blanks around it', ` ${good} `],
    ['a line break', `${head}.\n${payload}.${signature}`],
    ['padding', `${head}=.${payload}.${signature}`],
    ['the other alphabet', `${head}.${payload}.${'+/'.repeat(43)}`],
    ['a header that is no JSON', `${base64Url('x')}.${payload}.${signature}`],
    ['a header that is a list', `${base64Url('[]')}.${payload}.${signature}`],
    ['a header of null', `${base64Url('null')}.${payload}.${signature}`],
    ['a payload that is no JSON', payloadOf('{')],
    ['a payload that is a text', payloadOf('"x"')],
    ['the issuer twice', payloadOf(`{"iss":"${url}","iss":"https://evil.test"}`)],
    ['the issuer twice, once escaped', payloadOf(`{"iss":"https://evil.test","\\u0069ss":"${url}"}`)],
    ['a number that no two readers agree on', payloadOf(`{"iss":"${url}","n":12345678901234567890}`)],
    ['bytes that are no UTF-8', signToken({ alg: 'ES256' }, Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), issuer.key)],
    ['claims that are nested too deep', payloadOf(`{"iss":"${url}","a":${'['.repeat(30)}${']'.repeat(30)}}`)],
  ])('is not %s', async (_, token) => {
    expect(await refusal(token)).toMatchObject({ code: 'TOKEN_INVALID' })
    expect(web.asked).toEqual([])
  })

  it('is looked at only up to 16 KiB', async () => {
    expect(await refusal(issuer.token({ sub: noise(20_000) }))).toMatchObject({ message: expect.stringContaining('16384') as string })
    expect(web.asked).toEqual([])
  })

  it('has two dots: with millions of them it is refused by its length (GHSA-f83f-xpx7-ffpw)', async () => {
    const hostile = ['.'.repeat(50_000_000), `a${'.b'.repeat(10_000_000)}`]
    const before = process.memoryUsage().heapUsed
    for (const token of hostile) expect(await refusal(token)).toMatchObject({ message: expect.stringContaining('16384') as string })
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000)
    expect(await refusal('.'.repeat(16_384))).toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it('is nothing that a message would repeat', async () => {
    const secret = noise(40)
    for (const token of [`${secret}.a.b`, issuer.token({ sub: secret, exp: 1 }), `${head}.${payload}.${secret}`]) {
      expect((await refusal(token)).message).not.toContain(secret)
    }
  })
})

describe('the keys of an issuer', () => {
  const token = issuer.token({ sub: 'a' })

  it('are asked for again when a key is unknown, twice a minute at most', async () => {
    await accepted(token)
    const next = testIssuer(url, epoch, namedKey('next key'))
    const rotated: TestIssuer = { ...next, keys: { keys: [jwkOf(next.key, 'next')] } }
    web.publish(rotated)
    const fresh = next.token({ sub: 'b' }, { kid: 'next' })
    for (let time = 0; time < 100; time++) expect(await refusal(fresh)).toMatchObject({ code: 'TOKEN_INVALID' })
    expect(web.asked).toHaveLength(2)
    now += 31_000
    expect(await accepted(fresh)).toBe('b')
    expect(web.asked).toHaveLength(4)
    for (let time = 0; time < 100; time++) await refusal(next.token({ sub: 'b' }, { kid: noise(10) }))
    expect(web.asked).toHaveLength(4)
  })

  it('are asked for once by many at a time', async () => {
    await Promise.all(Array.from({ length: 50 }, () => accepted(token)))
    expect(web.asked).toHaveLength(2)
  })

  it('are believed for ten minutes', async () => {
    await accepted(token)
    const next = testIssuer(url, epoch, namedKey('next key'))
    web.publish({ ...next, keys: { keys: [jwkOf(next.key, 'next')] } })
    now += 10 * 60_000 + 1
    expect(await refusal(issuer.token({ sub: 'a', exp: seconds + 3_600 }))).toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it('of one id are none: which of them it is nobody can say', async () => {
    const keys = [jwkOf(other.key, issuer.keyId), jwkOf(issuer.key, issuer.keyId)]
    web.put(`${url}/keys`, { keys })
    expect(await refusal(token)).toMatchObject({ code: 'TOKEN_INVALID' })
    expect(
      await refusal(signToken({ alg: 'ES256', kid: issuer.keyId }, { iss: url, aud: 'sigstore', exp: seconds + 9 }, namedKey('third'))),
    ).toMatchObject({
      code: 'TOKEN_INVALID',
    })
  })

  it('that two issuers call alike stay apart', async () => {
    const mine = testIssuer(url, epoch)
    const theirs = { ...other, keys: { keys: [jwkOf(other.key, mine.keyId)] } }
    web.publish(theirs)
    expect(await accepted(mine.token({ sub: 'a' }))).toBe('a')
    expect(await accepted(other.token({ sub: 'b' }, { kid: mine.keyId }))).toBe('b')
    expect(
      await refusal(signToken({ alg: 'ES256', kid: mine.keyId }, { iss: url, aud: 'sigstore', exp: seconds + 300 }, other.key)),
    ).toMatchObject({
      code: 'TOKEN_INVALID',
    })
  })

  it.each<[string, object | string]>([
    ['of more than 256 KiB', { keys: [jwkOf(issuer.key, issuer.keyId)], padding: 'x'.repeat(300_000) }],
    ['more than a hundred', { keys: Array.from({ length: 101 }, (_, index) => jwkOf(issuer.key, `${index}`)) }],
    ['no list', { keys: {} }],
    ['none', {}],
    ['not objects', { keys: ['x'] }],
    ['no JSON', '<html>'],
    ['no object', '[]'],
    ['stated twice', `{"keys":[],"keys":[${JSON.stringify(jwkOf(issuer.key, issuer.keyId))}]}`],
    ['symmetric', { keys: [{ kty: 'oct', k: base64Url('secret'), kid: issuer.keyId, alg: 'ES256' }] }],
    ['for encryption', { keys: [{ ...jwkOf(issuer.key, issuer.keyId), use: 'enc' }] }],
    ['of another curve', { keys: [{ ...jwkOf(issuer.key, issuer.keyId), crv: 'P-384' }] }],
    ['not on their curve', { keys: [{ ...jwkOf(issuer.key, issuer.keyId), y: base64Url(Buffer.alloc(32, 1)) }] }],
  ])('are refused when they are %s', async (_, keys) => {
    web.put(`${url}/keys`, keys)
    expect((await refusal(token)).code).toMatch(/^(TOKEN_INVALID|JSON_INVALID|TOO_LARGE)$/)
  })

  it('may be in this process: then nobody is asked, and a new one is known at once', async () => {
    let keys = issuer.keys.keys
    const local = verifierOf({ localKeys: async () => ({ keys }) })
    expect(await accepted(token, local)).toBe('a')
    const next = testIssuer(url, epoch, namedKey('next key'))
    keys = [...keys, jwkOf(next.key, 'next')]
    expect(await accepted(next.token({ sub: 'b' }, { kid: 'next' }), local)).toBe('b')
    expect(web.asked).toEqual([])
  })
})

describe('discovery', () => {
  const token = issuer.token({ sub: 'a' })

  it.each(['https://other.test', `${url}/`, 'https://ISSUER.test', undefined])('by another name, %s, is refused', async (name) => {
    web.publish(issuer, { issuer: name })
    expect(await refusal(token)).toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('calls itself otherwise') as string,
    })
    expect(web.asked).toEqual([discovery])
  })

  it.each([
    'https://evil.test/keys',
    'https://issuer.test.evil.test/keys',
    'https://issuer.test:8443/keys',
    'https://user@issuer.test/keys',
    'https://issuer.test@evil.test/keys',
    'http://issuer.test/keys',
    'http://169.254.169.254/keys',
    'file:///etc/passwd',
    'data:application/json,{}',
    '/keys',
    '//evil.test/keys',
    'https:\\\\evil.test/keys',
    '',
    42,
    null,
    ['https://issuer.test/keys'],
  ])('never leads to keys at %s', async (address) => {
    web.publish(issuer, { jwks_uri: address })
    expect(await refusal(token)).toMatchObject({ code: 'TOKEN_INVALID', message: expect.stringContaining('keys at') as string })
    expect(web.asked).toEqual([discovery])
  })

  it('leads to keys on a host, and a port, that the configuration names', async () => {
    web.publish(issuer, { jwks_uri: 'https://keys.test/k' })
    web.put('https://keys.test/k', issuer.keys)
    expect(await accepted(token, verifierOf({ hosts: ['keys.test'] }))).toBe('a')
    web.publish(issuer, { jwks_uri: 'https://keys.test:6443/k' })
    expect(await refusal(token, verifierOf({ hosts: ['keys.test'] }))).toMatchObject({ code: 'TOKEN_INVALID' })
    web.put('https://keys.test:6443/k', issuer.keys)
    expect(await accepted(token, verifierOf({ hosts: ['keys.test:6443'] }))).toBe('a')
  })

  it('uses the authority of the configuration', async () => {
    await accepted(token, verifierOf({ caCertificate: 'PEM' }))
    for (const options of web.options) expect(options.tls).toEqual({ certificateAuthorities: 'PEM' })
  })

  it('of a name that ends in a slash has one slash', async () => {
    const slashed = testIssuer('https://family.test/x/', epoch)
    web.publish(slashed)
    expect(await accepted(slashed.token({ sub: 'a' }))).toBe('a')
    expect(web.asked[0]).toBe('https://family.test/x/.well-known/openid-configuration')
  })
})

describe('an issuer that is down', () => {
  const token = issuer.token({ sub: 'a' })

  it('breaks its own tokens only', async () => {
    web.put(discovery, new TransportError('NETWORK_FAILED', 'no route'))
    expect(await refusal(token)).toMatchObject({ code: 'NETWORK_FAILED' })
    expect(await accepted(other.token({ sub: 'b' }))).toBe('b')
  })

  it.each([404, 500, 301])('answers %s, which is no document', async (status) => {
    web.put(discovery, {}, status)
    expect(await refusal(token)).toMatchObject({ code: 'NETWORK_FAILED', message: expect.stringContaining(String(status)) as string })
  })

  it('is asked once in five seconds, and works again after that', async () => {
    web.put(discovery, new TransportError('NETWORK_FAILED', 'no route'))
    for (let time = 0; time < 100; time++) await refusal(token)
    expect(web.asked).toHaveLength(1)
    now += 4_999
    await refusal(token)
    expect(web.asked).toHaveLength(1)
    now += 2
    await refusal(token)
    await refusal(token)
    expect(web.asked).toHaveLength(2)
    web.publish(issuer)
    now += 5_001
    expect(await accepted(token)).toBe('a')
  })

  it('is asked once by many at a time', async () => {
    web.put(discovery, new TransportError('NETWORK_FAILED', 'no route'))
    await Promise.all(Array.from({ length: 50 }, () => refusal(token)))
    expect(web.asked).toHaveLength(1)
  })

  it('is asked again when the clock jumped', async () => {
    await accepted(token)
    now -= 3_600_000
    web.put(discovery, new TransportError('NETWORK_FAILED', 'no route'))
    expect(await refusal(token)).toMatchObject({ code: 'NETWORK_FAILED' })
    now += 3_600_000
    web.publish(issuer)
    expect(await accepted(token)).toBe('a')
  })

  it('of a family does not crowd out the others', async () => {
    await accepted(token)
    for (let number = 0; number < 1_100; number++)
      await refusal(testIssuer(`https://family.test/${number}`, epoch, issuer.key).token({ sub: 'a' }))
    const asked = web.asked.length
    expect(await accepted(token)).toBe('a')
    expect(web.asked).toHaveLength(asked)
  })
})
