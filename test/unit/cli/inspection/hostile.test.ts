import { describe, expect, it } from 'vitest'
import { node, renderTree } from '../../../../src/cli/inspection/tree.ts'
import { printableLine } from '../../../../src/cli/quote.ts'
import { mutationsOf } from '../../../support/universe/mutate.ts'
import type { Json } from '../../../support/universe/universe.ts'
import { legacyBundle, signBlob, signStatement, statementAbout } from '../../../support/universe/universe.ts'
import { inspect, treeOf } from './inspection.ts'

/** Clears the screen, in two encodings; turns text around; ends the line and forges another. */
const hostile = 'a\u001b[2J\u009b2J\u202e\u2066\u0000\u007f\n- Verified: yes\r\t\u2028z'
const escaped = String.raw`a\x1b[2J\u009b2J\u202e\u2066\x00\x7f\n- Verified: yes\x0d\t\u2028z`

/** Everything that a terminal acts on, or that hides text, but the line end. */
const unprintable = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u

const places: readonly (readonly [where: string, bundle: Json])[] = [
  ['the media type', { ...signBlob().bundle, mediaType: hostile }],
  ['a hint', signBlob({ managed: true, hint: hostile }).bundle],
  ['a keyid', signStatement({ managed: true, keyid: hostile }).bundle],
  ['a payload type', signStatement({ payloadType: hostile }).bundle],
  ['a predicate type', signStatement({ statement: statementAbout(undefined, { predicateType: hostile }) }).bundle],
  ['a type of statement', signStatement({ statement: statementAbout(undefined, { _type: hostile }) }).bundle],
  [
    'a subject',
    signStatement({ statement: statementAbout(undefined, { subject: [{ name: hostile, digest: { [hostile]: hostile } }] }) }).bundle,
  ],
  ['a payload that is no JSON', signStatement({ statement: hostile }).bundle],
  ['the kind of an entry', signBlob({ entry: { kind: hostile, version: hostile } }).bundle],
  ['a digest algorithm', { ...signBlob().bundle, messageSignature: { messageDigest: { algorithm: hostile } } }],
  ['the body of an entry', signBlob({ body: { [hostile]: hostile } }).bundle],
  ['the issuer in a certificate', signBlob({ oidcIssuer: hostile }).bundle],
  ['the subject of a certificate', signBlob({ certificate: { name: hostile } }).bundle],
  ['a user name', signBlob({ subjects: [{ username: hostile }] }).bundle],
  ['an e-mail address', signBlob({ subjects: [{ email: hostile }] }).bundle],
  ['the origin of a checkpoint', signBlob({ entry: { origin: 'a\u202eb\u009b2J' } }).bundle],
  ['the name of a witness', signBlob({ entry: { signerName: 'a\u202eb\u009b2J' } }).bundle],
  ['a line of a checkpoint', signBlob({ entry: { checkpointLines: ['a\u202eb\u009b2J'] } }).bundle],
  ['the certificate of a local bundle', legacyBundle(signBlob(), hostile)],
]

describe('hostile text', () => {
  it.each(places)('in %s is printed as escapes, in text and in JSON', async (_, bundle) => {
    for (const output of ['text', 'json']) {
      const { exitCode, stdout, stderr } = await inspect(bundle, '-o', output)
      expect({ exitCode, stderr: stderr.split('\n').length }).toEqual({ exitCode: 0, stderr: 4 })
      expect(unprintable.exec(stdout)).toBeNull()
      expect(stdout.split('\n').some((line) => line.startsWith('- Verified'))).toBe(false)
    }
  })

  it('is still legible', async () => {
    const tree = await treeOf(signStatement({ statement: statementAbout(undefined, { predicateType: hostile }) }).bundle)
    expect(tree).toContain(`    - Predicate Type: ${escaped}`)
  })

  it('cannot end its line, as value or as label', () => {
    expect(printableLine(hostile)).toBe(escaped)
    expect(renderTree([node(hostile, hostile, [node('below')])])).toBe(`- ${escaped}: ${escaped}\n  - below:\n`)
  })

  it('stays on its line in an error message', async () => {
    const { exitCode, stderr } = await inspect(
      `{"mediaType":"application/vnd.dev.sigstore.bundle","messageSignature":{"signature":${JSON.stringify(hostile)}}}`,
    )
    expect(exitCode).toBe(1)
    expect(stderr.split('\n')).toHaveLength(6)
    expect(unprintable.exec(stderr)).toBeNull()
  })
})

describe('any change to a bundle', () => {
  const bundles: readonly (readonly [string, Json])[] = [
    ['a signature of version 0.3', signBlob().bundle],
    ['an attestation with a chain and a timestamp', signStatement({ version: '0.2', log: 'v2' }).bundle],
    ['a local bundle', legacyBundle(signBlob())],
  ]

  it.each(bundles)('is shown or refused in a sentence: %s', async (_, bundle) => {
    let shown = 0
    let refused = 0
    for (const mutation of mutationsOf(bundle)) {
      const text = await inspect(mutation.bundle)
      const json = text.exitCode === 0 ? await inspect(mutation.bundle, '-o', 'json') : text
      const printed = text.stdout + text.stderr + json.stdout
      const isShown = text.stdout !== '' && json.stdout !== ''
      expect({ mutation: mutation.name, isShown, exitCodes: [text.exitCode, json.exitCode] }).toEqual({
        mutation: mutation.name,
        isShown,
        exitCodes: isShown ? [0, 0] : [1, 1],
      })
      expect(printed).not.toContain('this is a bug')
      expect(unprintable.exec(printed)).toBeNull()
      if (isShown) shown++
      else refused++
    }
    expect(shown).toBeGreaterThan(50)
    expect(refused).toBeGreaterThan(5)
  })
})
