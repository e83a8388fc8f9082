/** Files that appear whole or not at all. */
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { checkOutputFiles, checkWritable, writeOutputs } from '../../../../src/cli/signing/output-files.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-output-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

const output = (name: string, contents: string) => ({ path: name, what: 'bundle', contents })
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')

it('are readable by the user alone, when they are new', () => {
  writeOutputs(folder, [output('a', 'x'), output('b', 'y')])
  expect([read('a'), read('b')]).toEqual(['x', 'y'])
  expect(statSync(path.join(folder, 'a')).mode & 0o777).toBe(0o600)
})

it('replace what was there and keep its mode', () => {
  writeFileSync(path.join(folder, 'a'), 'old')
  chmodSync(path.join(folder, 'a'), 0o640)
  writeOutputs(folder, [output('a', 'new')])
  expect(read('a')).toBe('new')
  expect(statSync(path.join(folder, 'a')).mode & 0o777).toBe(0o640)
})

it('are none of them there when one cannot be written', () => {
  writeFileSync(path.join(folder, 'a'), 'old')
  expect(() => writeOutputs(folder, [output('a', 'new'), output('missing/b', 'y')])).toThrow(
    'create bundle file: missing/b cannot be written: no such file or directory',
  )
  expect(read('a')).toBe('old')
  expect(readdirSync(folder)).toEqual(['a'])
})

it('leave nothing new behind when one cannot take its place', () => {
  mkdirSync(path.join(folder, 'b'))
  expect(() => writeOutputs(folder, [output('a', 'x'), output('b', 'y')])).toThrow('b cannot be written: it is a directory')
  expect(readdirSync(folder)).toEqual(['b'])
})

it('have the mode that is asked for, also where they replace a file of another', () => {
  writeFileSync(path.join(folder, 'a'), 'old')
  chmodSync(path.join(folder, 'a'), 0o666)
  writeOutputs(folder, [
    { ...output('a', 'x'), mode: 0o600 },
    { ...output('b', 'y'), mode: 0o644 },
  ])
  expect(['a', 'b'].map((name) => statSync(path.join(folder, name)).mode & 0o777)).toEqual([0o600, 0o644])
})

it('go through a link to the file it leads to', () => {
  writeFileSync(path.join(folder, 'target'), 'old')
  symlinkSync('target', path.join(folder, 'link'))
  writeOutputs(folder, [output('link', 'new')])
  expect(lstatSync(path.join(folder, 'link')).isSymbolicLink()).toBe(true)
  expect(read('target')).toBe('new')
})

it('may be what is no file, such as /dev/null', () => {
  expect(() => checkWritable(folder, '/dev/null', 'bundle')).not.toThrow()
  expect(() => writeOutputs(folder, [output('/dev/null', 'x')])).not.toThrow()
  expect(existsSync('/dev/null')).toBe(true)
  expect(statSync('/dev/null').isFile()).toBe(false)
})

it('are checked beforehand', () => {
  mkdirSync(path.join(folder, 'd'))
  expect(() => checkWritable(folder, 'd', 'bundle')).toThrow(
    'create bundle file: d cannot be written: it is a directory, a file was expected',
  )
  expect(() => checkWritable(folder, 'nowhere/x', 'bundle')).toThrow('no such file or directory')
  expect(() => checkWritable(folder, 'd/x', 'bundle')).not.toThrow()
})

it('go through a link to where there is nothing yet', () => {
  mkdirSync(path.join(folder, 'v1'))
  symlinkSync('v1/app', path.join(folder, 'one'))
  symlinkSync('one', path.join(folder, 'two'))
  checkWritable(folder, 'two', 'bundle')
  writeOutputs(folder, [output('two', 'new')])
  expect(lstatSync(path.join(folder, 'one')).isSymbolicLink()).toBe(true)
  expect(read('v1/app')).toBe('new')
  symlinkSync('nowhere/app', path.join(folder, 'three'))
  expect(() => checkWritable(folder, 'three', 'bundle')).toThrow('three cannot be written: no such file or directory')
})

it.skipIf(process.platform === 'win32')('are added to what a descriptor has already', () => {
  writeFileSync(path.join(folder, 'log'), 'before ')
  const descriptor = openSync(path.join(folder, 'log'), 'a')
  checkWritable(folder, `/dev/fd/${descriptor}`, 'bundle')
  writeOutputs(folder, [output(`/dev/fd/${descriptor}`, 'new'), output('a', 'x')])
  closeSync(descriptor)
  expect([read('log'), read('a')]).toEqual(['before new', 'x'])
  expect(() => checkWritable(folder, '/dev/fd/987654', 'bundle')).toThrow('/dev/fd/987654 cannot be written')
})

describe.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('without the right to', () => {
  it('replace a file, they leave it alone', () => {
    writeFileSync(path.join(folder, 'a'), 'old', { mode: 0o444 })
    expect(() => checkWritable(folder, 'a', 'bundle')).toThrow('a cannot be written: permission denied')
    expect(() => writeOutputs(folder, [output('b', 'y'), output('a', 'new')])).toThrow('a cannot be written: permission denied')
    expect([read('a'), readdirSync(folder)]).toEqual(['old', ['a']])
  })

  it('make files in the folder, they are written where they are', () => {
    writeFileSync(path.join(folder, 'a'), 'something old')
    chmodSync(folder, 0o555)
    checkWritable(folder, 'a', 'bundle')
    writeOutputs(folder, [output('a', 'new')])
    chmodSync(folder, 0o755)
    expect([read('a'), readdirSync(folder)]).toEqual(['new', ['a']])
  })
})

describe('that are asked for', () => {
  it.each<readonly [string, readonly (readonly [string, string])[], string]>([
    ['the blob', [['blob', 'signature']], 'blob would be the signature, and is the blob: name another file'],
    ['the blob by another name', [['./link', 'bundle']], './link would be the bundle, and is the blob: name another file'],
    ['the key', [['cosign.key', 'bundle']], 'cosign.key would be the bundle, and is the key: name another file'],
    [
      'one another',
      [
        ['a', 'bundle'],
        ['./a', 'signature'],
      ],
      './a would be the signature, and the bundle, too: name another file',
    ],
  ])('are not written over %s', (_, outputs, message) => {
    writeFileSync(path.join(folder, 'blob'), 'blob')
    writeFileSync(path.join(folder, 'cosign.key'), 'key')
    symlinkSync('blob', path.join(folder, 'link'))
    const inputs = [['blob', 'blob'] as const, ['cosign.key', 'key'] as const, ['', 'predicate'] as const]
    expect(() => checkOutputFiles(folder, outputs, inputs)).toThrow(message)
  })

  it('may all be /dev/null, and a key may be somewhere else', () => {
    const nothing = ['/dev/null', 'bundle'] as const
    expect(() => checkOutputFiles(folder, [nothing, nothing, ['a', 'signature']], [[`awskms:///${'x'.repeat(300)}`, 'key']])).not.toThrow()
  })
})
