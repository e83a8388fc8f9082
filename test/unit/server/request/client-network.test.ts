import { describe, expect, it } from 'vitest'
import { clientNetwork } from '../../../../src/server/request/client-address.ts'

describe('the network that stands for a client', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['unknown', 'unknown'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(clientNetwork(address)).toBe(network)
  })

  it('is one for all addresses that a customer can take', () => {
    const networks = Array.from({ length: 100 }, (_, at) => clientNetwork(`2001:db8:7:8:${at.toString(16)}::${at.toString(16)}`))
    expect(new Set(networks).size).toBe(1)
  })
})
