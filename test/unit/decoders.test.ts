import { expect, it } from 'vitest'
import { decodeExamples } from '../../bench/decode-examples.ts'
import { allDecoders, forgottenDecoders } from '../../bench/decoders.ts'

it('every decoder is one that `npm run bench -- decode` gives hostile input to', () => {
  expect(forgottenDecoders(allDecoders(decodeExamples()))).toEqual([])
})
