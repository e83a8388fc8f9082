import { describe, expect, it, vi } from 'vitest'
import type { ClockWatch, ClockWatchOptions } from '../../../../src/server/time/clock-watch.ts'
import { createClockWatch } from '../../../../src/server/time/clock-watch.ts'
import { startTimeServer } from './time-server.ts'

/** Clocks that move as a test says. */
class Machine {
  wall = Date.UTC(2026, 0, 15)
  steady = 5000
  uptime = 90_000

  watch(options: Partial<ClockWatchOptions> = {}): ClockWatch {
    return createClockWatch({ clock: () => this.wall, steady: () => this.steady, uptime: () => this.uptime, ...options })
  }

  pass(ms: number): void {
    this.wall += ms
    this.steady += ms
    this.uptime += ms
  }

  sleep(ms: number): void {
    this.wall += ms
    this.uptime += ms
  }
}

describe('a clock that is watched', () => {
  it('is trusted while it runs evenly', () => {
    const machine = new Machine()
    const watch = machine.watch()
    for (let hour = 0; hour < 100; hour++) {
      machine.pass(3_600_000)
      expect(watch.suspicion()).toBeUndefined()
    }
  })

  it.each([
    [10_000, 'it went forward by 10.0 s at once'],
    [-10_000, 'it went back by 10.0 s at once'],
    [3_600_000, 'it went forward by 3600.0 s at once'],
    [-3_600_000, 'it went back by 3600.0 s at once'],
    [1100, 'it went forward by 1.1 s at once'],
  ])('is suspect after a step of %d ms, until it goes back', (stepMs, suspicion) => {
    const machine = new Machine()
    const watch = machine.watch()
    machine.pass(60_000)
    machine.wall += stepMs
    expect(watch.suspicion()).toBe(suspicion)
    machine.pass(600_000)
    expect(watch.suspicion()).toBe(suspicion)
    expect(watch.status()).toMatchObject({ suspicion, stepMs, survey: undefined })
    machine.wall -= stepMs
    expect(watch.suspicion()).toBeUndefined()
  })

  it('is trusted again when an operator says so', () => {
    const machine = new Machine()
    const watch = machine.watch()
    machine.wall += 60_000
    watch.accept()
    expect(watch.suspicion()).toBeUndefined()
    machine.wall -= 60_000
    expect(watch.suspicion()).toBe('it went back by 60.0 s at once')
  })

  it('stays suspect when time goes by and the watch compares by itself', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const machine = new Machine()
    const watch = machine.watch()
    await watch.start()
    machine.wall += 60_000
    vi.advanceTimersByTime(60_000)
    expect(watch.suspicion()).toBe('it went forward by 60.0 s at once')
    watch.close()
    vi.useRealTimers()
  })

  it('may be slewed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const machine = new Machine()
    const watch = machine.watch()
    await watch.start()
    for (let round = 0; round < 100; round++) {
      machine.pass(10_000)
      machine.wall += 500
      vi.advanceTimersByTime(10_000)
      expect(watch.suspicion()).toBeUndefined()
    }
    watch.close()
    vi.useRealTimers()
  })

  it('is not suspect because the machine slept', () => {
    const machine = new Machine()
    const watch = machine.watch()
    machine.sleep(8 * 3_600_000)
    expect(watch.suspicion()).toBeUndefined()
  })

  it('is suspect when it stood still while the machine slept', () => {
    const machine = new Machine()
    const watch = machine.watch()
    machine.uptime += 3_600_000
    machine.pass(1500)
    expect(watch.suspicion()).toBe('it went back by 3600.0 s at once')
  })

  it('is suspect when it was set during sleep', () => {
    const machine = new Machine()
    const watch = machine.watch()
    machine.sleep(3_600_000)
    machine.wall += 60_000
    expect(watch.suspicion()).toBe('it went forward by 60.0 s at once')
  })
})

describe('a clock that time servers are asked about', () => {
  const real = { clock: Date.now }
  const suspicionWith = async (offsets: readonly (number | 'silent')[], threshold?: number): Promise<string | undefined> => {
    const servers = await Promise.all(offsets.map((offsetMs) => startTimeServer(offsetMs === 'silent' ? { silent: true } : { offsetMs })))
    // Those that are silent are waited for.
    const timeoutMs = offsets.includes('silent') ? 1_000 : 30_000
    const timeServers = { servers, timeoutMs, ...(threshold === undefined ? {} : { threshold }) }
    const watch = createClockWatch({ ...real, timeServers })
    expect(watch.suspicion()).toBe('the time servers have not answered yet')
    await watch.start()
    const suspicion = watch.suspicion()
    watch.close()
    for (const server of servers) server.close()
    return suspicion
  }

  it('is trusted when enough of them agree', async () => {
    expect(await suspicionWith([0, 100, -200, 30])).toBeUndefined()
    expect(await suspicionWith([0, 0, 0, 3_600_000])).toBeUndefined()
    expect(await suspicionWith([0, 0, 0, 'silent'])).toBeUndefined()
    expect(await suspicionWith([0, 50_000, 50_000], 1)).toBeUndefined()
  })

  it('is suspect when they say another time', async () => {
    expect(await suspicionWith([60_000, 60_000, 60_000])).toMatch(
      /^0 of the 3 time servers that answered agree with it, 2 must; they say it is off by 60\.0 s$/,
    )
    expect(await suspicionWith([0, -60_000, -60_000])).toContain('1 of the 3 time servers that answered agree with it, 2 must')
  })

  it('is suspect when too few of them answer', async () => {
    expect(await suspicionWith([0, 'silent', 'silent'])).toBe('1 of 3 time servers have answered, 2 must agree with it')
    expect(await suspicionWith(['silent', 'silent'])).toBe('0 of 2 time servers have answered, 2 must agree with it')
  })

  it('is cleared of a step by them', async () => {
    const servers = await Promise.all([0, 0, 0].map((offsetMs) => startTimeServer({ offsetMs })))
    let ahead = 60_000
    const watch = createClockWatch({ clock: () => Date.now() + ahead, timeServers: { servers, timeoutMs: 30_000 }, askEveryMs: 50 })
    await watch.start()
    expect(watch.suspicion()).toContain('0 of the 3 time servers')
    ahead = 0
    expect(watch.suspicion()).toBe('it went back by 60.0 s at once')
    await expect.poll(() => watch.suspicion()).toBeUndefined()
    watch.close()
    for (const server of servers) server.close()
  })

  it('is trusted on their last word for a while when they fall silent', async () => {
    const server = await startTimeServer({ offsetMs: 0 })
    let steady = 0
    const options = { clock: Date.now, steady: () => performance.now() + steady, uptime: () => performance.now() + steady }
    const watch = createClockWatch({
      ...options,
      clock: () => Date.now() + steady,
      timeServers: { servers: [server], timeoutMs: 1_000 },
      askEveryMs: 20,
      agreementHoldsMs: 60_000,
    })
    await watch.start()
    server.close()
    await expect.poll(() => watch.status().survey?.verdict).toBe('unknown')
    expect(watch.suspicion()).toBeUndefined()
    steady += 61_000
    expect(watch.suspicion()).toBe('0 of 1 time servers have answered, 1 must agree with it')
    watch.close()
  })
})

describe('a clock that a test moves', () => {
  it('is trusted when the steady clock moves with it', () => {
    let shift = 0
    const watch = createClockWatch({
      clock: () => Date.now() + shift,
      steady: () => performance.now() + shift,
    })
    shift += 90 * 24 * 3_600_000
    expect(watch.suspicion()).toBeUndefined()
    shift -= 3_600_000
    expect(watch.suspicion()).toBeUndefined()
  })
})
