import { describe, expect, it } from 'vitest'
import { isInternalHost, isLoopbackHost, isPrivateHost } from '../../../src/http/host.ts'

const hostOf = (address: string): string => new URL(`https://${address}/`).hostname

describe('a host', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '127.1', '2130706433', '[::1]', '[0:0::1]'])(
    '%s is this machine',
    (host) => {
      expect(isLoopbackHost(hostOf(host))).toBe(true)
      expect(isInternalHost(hostOf(host))).toBe(true)
    },
  )

  // What a resolver makes of these names is not known: it is no reason to send a password without TLS.
  it.each(['app.localhost', 'localhost.example.com', 'notlocalhost', '128.0.0.1'])('%s may be another machine', (host) => {
    expect(isLoopbackHost(hostOf(host))).toBe(false)
  })

  it.each(['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'nas.local'])('%s is on a private network', (host) => {
    expect(isPrivateHost(hostOf(host))).toBe(true)
    expect(isInternalHost(hostOf(host))).toBe(true)
  })

  it.each([
    'localhost.',
    'app.localhost',
    'nas.local.',
    '0',
    '100.100.100.200',
    '169.254.169.254',
    '[::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[::127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
  ])('%s means something else to others, or nothing', (host) => {
    expect(isInternalHost(hostOf(host))).toBe(true)
  })

  it.each([
    'example.com',
    'example.com.',
    'localhost.example.com',
    'local.example',
    '8.8.8.8',
    '172.32.0.1',
    '100.63.0.1',
    '[2606:4700::1]',
  ])('%s is anybody’s', (host) => {
    expect(isInternalHost(hostOf(host))).toBe(false)
    expect(isPrivateHost(hostOf(host))).toBe(false)
  })
})
