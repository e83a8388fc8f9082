/** A connection to PostgreSQL that is held: it listens for notifications and has session locks. When it breaks, it is opened anew. */
import { Client } from 'pg'
import type { PoolConfig, QueryResult } from 'pg'
import { CountersignError, messageOf } from '../../error.ts'
import type { StorageUser } from './storage-user.ts'

/** The right that goes with a session lock. */
export interface SessionLock {
  /** Aborted when the session ends, and the lock with it. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

export interface PostgresChannel {
  /** Takes a lock that ends with the session, unless another session has it. */
  tryLock(key: string): Promise<SessionLock | undefined>
  /** Calls the listener with the payloads that are sent to the channel. @returns a function that ends it */
  listen(listener: (payload: string) => void): () => void
  close(): Promise<void>
}

/** The name that all processes notify each other by. */
export const notificationChannel = 'countersign'

/** A leader that hangs loses its session, and with it the locks, after this time, in milliseconds. */
const idleTimeoutMs = 5000
const heartbeatMs = 1000

/**
 * Opens one.
 * @param user servers are on a database together; one that is `sole` is on it while there is no server
 * @throws CountersignError STORAGE_FAILED, also when others are on it that must not be
 */
export async function openPostgresChannel(connection: PoolConfig, user?: StorageUser): Promise<PostgresChannel> {
  const channel = new Channel(connection, user)
  try {
    await channel.open()
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    throw new CountersignError('STORAGE_FAILED', `the PostgreSQL database cannot be listened to: ${messageOf(cause)}`, { cause })
  }
  return channel
}

/** Locks for as long as the session lives. No log's lock has this key: their names have no slash. */
async function takePlace(client: Client, user: StorageUser): Promise<void> {
  const lock = user === 'server' ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock'
  const { rows } = await client.query(`SELECT ${lock}(hashtextextended('countersign/servers', 0)) AS locked`)
  if ((rows[0] as { locked: boolean } | undefined)?.locked === true) return
  throw new CountersignError(
    'STORAGE_FAILED',
    user === 'server'
      ? 'a command of an operator that needs the PostgreSQL database alone is at work: start the server when it is done'
      : 'another server runs on the PostgreSQL database: stop all front ends first',
  )
}

interface Session {
  readonly client: Client
  readonly lost: AbortController
  /** A query, once those before it were answered: locks of several logs and the heartbeat are asked for at the same time. */
  query(text: string, values?: readonly string[]): Promise<QueryResult>
}

function openSession(client: Client, lost: AbortController): Session {
  let last: Promise<unknown> = Promise.resolve()
  return {
    client,
    lost,
    query: (text, values = []) => {
      const answer = last.then(() => client.query(text, [...values]))
      last = answer.catch(() => {})
      return answer
    },
  }
}

class Channel implements PostgresChannel {
  readonly #connection: PoolConfig
  readonly #user: StorageUser | undefined
  readonly #listeners = new Set<(payload: string) => void>()
  #session: Session | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #isClosed = false

  constructor(connection: PoolConfig, user: StorageUser | undefined) {
    this.#connection = connection
    this.#user = user
  }

  async open(): Promise<void> {
    await this.#connect()
    this.#timer = setInterval(() => this.#beat(), heartbeatMs)
  }

  async tryLock(key: string): Promise<SessionLock | undefined> {
    const session = this.#session
    if (session === undefined) return undefined
    const locked = await session.query("SELECT pg_try_advisory_lock(hashtextextended('countersign ' || $1, 0)) AS locked", [key])
    if ((locked.rows[0] as { locked: boolean } | undefined)?.locked !== true) return undefined
    return {
      lost: session.lost.signal,
      release: async () => {
        if (session.lost.signal.aborted) return
        // If this fails the session has ended, and with it the lock.
        await session.query("SELECT pg_advisory_unlock(hashtextextended('countersign ' || $1, 0))", [key]).catch(() => {})
      },
    }
  }

  listen(listener: (payload: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#beating
    const session = this.#session
    this.#session = undefined
    session?.lost.abort()
    await session?.client.end().catch(() => {})
  }

  async #connectOrPing(): Promise<void> {
    if (this.#session === undefined) await this.#connect()
    else await this.#session.query('SELECT 1')
  }

  async #connect(): Promise<void> {
    const client = new Client(this.#connection)
    const lost = new AbortController()
    const end = () => {
      if (this.#session?.client === client) this.#session = undefined
      lost.abort()
    }
    client.on('error', end)
    client.on('end', end)
    client.on('notification', ({ payload }) => {
      for (const listener of this.#listeners) listener(payload ?? '')
    })
    await client.connect()
    try {
      await client.query(`LISTEN ${notificationChannel}`)
      await client.query(`SET idle_session_timeout = ${idleTimeoutMs}`)
      if (this.#user !== undefined) await takePlace(client, this.#user)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    if (lost.signal.aborted) return
    this.#session = openSession(client, lost)
  }

  /** Keeps the session from being idle, or opens a new one. What fails is tried again at the next beat. */
  #beat(): void {
    this.#beating ??= this.#connectOrPing()
      .catch(() => {})
      .finally(() => {
        this.#beating = undefined
      })
    if (this.#isClosed) clearInterval(this.#timer)
  }
}
