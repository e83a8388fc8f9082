/** A lock between processes: a file that says who holds it. */
import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { kill, pid } from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { TransportError, isMissing, systemCode } from '../error.ts'

export interface LockOptions {
  /** How long to wait for another holder; default 5 s. */
  readonly waitMs?: number
}

/** A lock of this age is taken over: its holder hangs or is on another machine and gone. */
const staleMs = 10_000

/**
 * Runs an action while holding the lock. A lock whose process is gone is taken over at once.
 * @param file the lock file; its folder must exist
 * @throws TransportError FILE_UNREADABLE when the lock is not free in time; Node's own errors; whatever the action throws
 */
export async function withLock<T>(file: string, options: LockOptions, action: () => Promise<T>): Promise<T> {
  const { waitMs = 5_000 } = options
  const owner = `${hostname()} ${pid} ${randomBytes(8).toString('hex')}\n`
  const end = performance.now() + waitMs
  while (!(await acquire(file, owner))) {
    if (await takeOver(file)) continue
    if (performance.now() >= end)
      throw new TransportError(
        'FILE_UNREADABLE',
        `${file} has been locked by another process for ${waitMs / 1000} s: wait until that has ended, and try again`,
      )
    await wait(5 + Math.random() * 20)
  }
  try {
    return await action()
  } finally {
    // Not ours any more if the action took so long that another process took over.
    if ((await contents(file)) === owner) await rm(file, { force: true })
  }
}

/** The file appears with its contents in it, so that nobody finds a lock without an owner. */
async function acquire(file: string, owner: string): Promise<boolean> {
  const candidate = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(candidate, owner, { flag: 'wx', mode: 0o600 })
  try {
    await link(candidate, file)
    return true
  } catch (error) {
    // Systems without hard links have many ways to say so.
    return systemCode(error) === 'EEXIST' ? false : await createExclusively(file, owner)
  } finally {
    await rm(candidate, { force: true })
  }
}

/** Only here another process may find the lock before its owner is written into it; it then takes the owner for alive. */
async function createExclusively(file: string, owner: string): Promise<boolean> {
  try {
    await writeFile(file, owner, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes the lock if its holder is gone. Whether it is worth trying again at once. */
async function takeOver(file: string): Promise<boolean> {
  const owner = await contents(file)
  if (owner === undefined) return true
  if (isAlive(owner) && (await age(file)) < staleMs) return false
  const removed = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await rename(file, removed)
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  }
  // Another process may have been faster, and what was moved is its fresh lock: put it back.
  if ((await contents(removed)) !== owner) await link(removed, file).catch(() => {})
  await rm(removed, { force: true })
  return true
}

/** Whether the process may still run: only one of this machine that is known to be gone is not alive. */
function isAlive(owner: string): boolean {
  const [host, id = ''] = owner.trim().split(' ')
  if (host !== hostname() || !/^[1-9][0-9]{0,9}$/.test(id)) return true
  try {
    kill(Number(id), 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

async function age(file: string): Promise<number> {
  try {
    return Date.now() - (await stat(file)).mtimeMs
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

async function contents(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
