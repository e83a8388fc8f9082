import { describe, expect, it } from 'vitest'
import { fetchBytes } from '../../../src/http/fetch.ts'
import { withoutSecrets } from '../../../src/http/address.ts'

describe('an address in a message', () => {
  it.each([
    ['https://user:s3cret@example.com/a?token=s3cret#s3cret', 'https://example.com/a'],
    ['https://s3cret@example.com', 'https://example.com/'],
    ['HTTPS://user:s3cret@example.com/a', 'https://example.com/a'],
    ['https://user:s3/cr?et@example.com/a?s3cret', 'https://example.com/a'],
    ['https://user:s3cret@exa mple.com/?s3cret', 'https://exa mple.com/'],
    ['https://user:s3cret@s3cret@:99999/x', 'https://:99999/x'],
    ['ftp://user:s3cret@example.com/a', 'ftp://example.com/a'],
    ['user@host', 'user@host'],
    ['./keys/a@b.pub', './keys/a@b.pub'],
    ['awskms:///alias/me?x=1', 'awskms:///alias/me?x=1'],
  ])('%s is %s', (address, shown) => {
    expect(withoutSecrets(address)).toBe(shown)
  })

  it('is shown in the same way when nothing can be asked there', async () => {
    const failure = fetchBytes('https://user:s3cret@exa mple.com/?s3cret', { env: {} })
    await expect(failure).rejects.toThrow('expected an http:// or https:// address, found "https://exa mple.com/"')
  })
})
