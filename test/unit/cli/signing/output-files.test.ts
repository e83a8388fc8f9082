/** Files that appear whole or not at all. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { checkWritable, writeOutputs } from '../../../../src/cli/signing/output-files.ts'

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
