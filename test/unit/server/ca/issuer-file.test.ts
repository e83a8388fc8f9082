import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { IssuerConfiguration } from '../../../../src/server/ca/issuer-configuration.ts'
import type { IssuerFile } from '../../../../src/server/ca/issuer-file.ts'
import { openIssuerFile } from '../../../../src/server/ca/issuer-file.ts'

const yaml = (url: string): string => `oidc-issuers:\n  ${url}:\n    type: email\n`

let folder: string
let file: string
let opened: IssuerFile | undefined
let changes: IssuerConfiguration[]
let errors: unknown[]

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-issuers-'))
  file = path.join(folder, 'issuers.yaml')
  changes = []
  errors = []
})

afterEach(() => {
  opened?.close()
  opened = undefined
  rmSync(folder, { recursive: true })
})

async function open(pollMs = 10): Promise<IssuerFile> {
  const onError = (error: unknown): void => void errors.push(error)
  opened = await openIssuerFile({ file, onChange: (issuers) => void changes.push(issuers), onError, pollMs })
  return opened
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 60_000) throw new Error('it never happened')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

it('a file that is changed is in use soon after', async () => {
  writeFileSync(file, yaml('https://a.test'))
  const { issuers } = await open()
  expect(issuers.find('https://a.test')).toBeDefined()
  writeFileSync(file, yaml('https://b.test'))
  await until(() => changes.length > 0)
  expect(changes).toHaveLength(1)
  expect(opened?.issuers).toBe(changes[0])
  expect(opened?.issuers.find('https://b.test')).toBeDefined()
  expect(opened?.issuers.find('https://a.test')).toBeUndefined()
})

it('a file that is replaced by another of the same length is in use soon after', async () => {
  writeFileSync(file, yaml('https://a.test'))
  await open()
  writeFileSync(`${file}.new`, yaml('https://b.test'))
  renameSync(`${file}.new`, file)
  await until(() => opened?.issuers.find('https://b.test') !== undefined)
})

it('a broken file leaves the old configuration in use, is reported once with its line, and mended is used', async () => {
  writeFileSync(file, yaml('https://a.test'))
  await open()
  writeFileSync(file, `${yaml('https://b.test')}    colour: red\n`)
  await until(() => errors.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining('line 4') as string })
  expect(changes).toHaveLength(0)
  expect(opened?.issuers.find('https://a.test')).toBeDefined()
  writeFileSync(file, yaml('https://b.test'))
  await until(() => changes.length > 0)
  expect(opened?.issuers.find('https://b.test')).toBeDefined()
})

it('a file that vanishes leaves the old configuration in use and is reported once', async () => {
  writeFileSync(file, yaml('https://a.test'))
  await open()
  rmSync(file)
  await until(() => errors.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(errors).toMatchObject([{ code: 'FILE_UNREADABLE' }])
  expect(opened?.issuers.find('https://a.test')).toBeDefined()
})

it('a file that is written again as it was changes nothing', async () => {
  writeFileSync(file, yaml('https://a.test'))
  await open()
  writeFileSync(file, yaml('https://a.test'))
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect([changes, errors]).toEqual([[], []])
})

it('on demand it is read at once', async () => {
  writeFileSync(file, yaml('https://a.test'))
  const { reload } = await open(1_000_000)
  expect(await reload()).toBe(true)
  writeFileSync(file, yaml('https://b.test'))
  expect(await reload()).toBe(true)
  expect(opened?.issuers.find('https://b.test')).toBeDefined()
  writeFileSync(file, 'oidc-issuers: [')
  expect(await reload()).toBe(false)
  expect(await reload()).toBe(false)
  expect(errors).toHaveLength(2)
  expect(opened?.issuers.find('https://b.test')).toBeDefined()
})

it('a file that is broken from the start is refused', async () => {
  await expect(open()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  writeFileSync(file, 'issuers: {}')
  await expect(open()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  writeFileSync(file, Buffer.from([0xff, 0xfe, 0x41]))
  await expect(open()).rejects.toThrow()
})

it('closed, it looks no more', async () => {
  writeFileSync(file, yaml('https://a.test'))
  const { close } = await open()
  close()
  writeFileSync(file, yaml('https://b.test'))
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(changes).toHaveLength(0)
})
