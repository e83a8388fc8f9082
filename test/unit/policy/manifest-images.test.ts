/** Kubernetes resources whose images are hidden from whoever reads them in another way than kubectl does. */
import { describe, expect, it } from 'vitest'
import { imagesOfManifest } from '../../../src/policy/manifest-images.ts'

describe('an image of a manifest is found', () => {
  it.each([
    ['where it is merged into a container', 'x: &c { image: evil }\ncontainers: [{ image: a }, { <<: *c, name: b }]', ['a', 'evil']],
    ['where containers are merged', 'x: &s { containers: [{ image: evil }] }\nspec: { <<: *s }', ['evil']],
    ['where it replaces what is merged', 'x: &c { image: b }\ncontainers: [{ <<: *c, image: evil }]', ['evil']],
    ['where something else stands before what is merged', 'x: &c { image: evil }\ncontainers: [{ name: a, <<: *c }]', ['evil']],
    ['where its keys are quoted or tagged', '"containers": [{ !!str image: evil }]', ['evil']],
    [
      'of one container, of a script and of steps',
      'a: { container: { image: a }, script: { image: b }, steps: [{ image: c }] }',
      ['a', 'b', 'c'],
    ],
    ['of sidecars, and of what steps have in common', 'a: { sidecars: [{ image: a }], stepTemplate: { image: b } }', ['a', 'b']],
    [
      'in every document',
      'containers: [{ image: a }]\n--- # next\ncontainers: [{ image: b }]\n...\n---\ncontainers: [{ image: c }]',
      ['a', 'b', 'c'],
    ],
  ])('%s', (_, text, expected) => expect(imagesOfManifest(text).all).toEqual(expected))
})

describe('a manifest is refused', () => {
  it.each([
    ['with a key that is encoded', 'containers: [{ image: a }, { !!binary aW1hZ2U=: evil }]', /line 1.*tag/],
    ['with a key that is encoded, in older YAML', '%YAML 1.1\n---\ncontainers: [{ !!binary aW1hZ2U=: evil }]', /!!binary/],
    ['with an image that is encoded', 'containers: [{ image: a }, { image: !!binary ZXZpbA== }]', /line 1.*tag/],
    ['with an image that is no text', 'containers: [{ image: a }, { image: [evil] }]', /image that is no text: .*evil/],
    ['with tags that nobody knows', 'containers: [{ image: !x evil }]', /line 1.*tag/],
    ['with an image that is merged over another', 'x: &c { image: evil }\ncontainers: [{ image: a, <<: *c }]', /image stands before a <</],
    [
      'with an image that may be',
      'x: &b { image: evil }\ny: &c { <<: *b }\ncontainers: [{ image: a, <<: [*c] }]',
      /image stands before a <</,
    ],
    ['with what is merged within itself', 'x: &l [*l]\ncontainers: [{ image: a, <<: *l }]', /manifest is not valid YAML/],
    ['with two merges in one place', 'x: &b { image: a }\ny: &c { image: b }\ncontainers: [{ <<: *b, <<: *c }]', /<< is given twice/],
    [
      'with a document that only kubectl sees',
      '"a\n---x\nkind: Pod\ncontainers: [{ image: evil }]\n---x\n"',
      /line 2: text that follows ---/,
    ],
  ])('%s', (_, text, message) => expect(() => imagesOfManifest(text)).toThrow(message))
})

it('tells what is called an image elsewhere', () => {
  expect(imagesOfManifest('spec: { image: x, containers: [{ image: a }], more: { image: a } }').others).toEqual(['x'])
})
