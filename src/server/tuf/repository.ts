/** The TUF repository of the server: publishes the targets, keeps the metadata valid, and serves both. */
import { setTimeout } from 'node:timers/promises'
import type { Hono } from 'hono'
import { CountersignError } from '../../error.ts'
import type { Clock } from '../clock.ts'
import type { Service } from '../service.ts'
import type { DocumentStore } from '../storage/document-store.ts'
import type { Lifetimes, RepositorySigners, Terms } from './edition.ts'
import { checkEdition, defaultLifetimes, isDue, isSameEdition, noVersions } from './edition.ts'
import type { RoleMetadata, RootRoles } from './metadata.ts'
import { rolesOfRoot } from './metadata.ts'
import { proposeEdition } from './next-edition.ts'
import { awaitedSignatures, takeSigned } from './offline-signatures.ts'
import type { Wishes } from './proposals.ts'
import { readPending, rolesOfSigners } from './proposals.ts'
import type { Published } from './published-edition.ts'
import { loadPublished, publishEdition } from './published-edition.ts'
import type { Renewal } from './renewal.ts'
import { createRenewal } from './renewal.ts'
import { assess } from './repository-status.ts'
import type { Outcome, RepositoryStatus } from './repository-status.ts'
import type { OfflineRole } from './repository-store.ts'
import { RepositoryStore } from './repository-store.ts'
import { createRoutes } from './routes.ts'
import { checkStored } from './stored-check.ts'
import type { TufTarget } from './target.ts'
import { describeTargets } from './target.ts'
import type { VersionRecord } from './version-record.ts'
import { checkRecord, keepRecord } from './version-record.ts'

export interface TufRepositoryOptions {
  readonly documents: DocumentStore
  readonly signers: RepositorySigners
  readonly clock: Clock
  /** The targets to publish at the start; without it, those that are published already. */
  readonly targets?: () => readonly TufTarget[] | Promise<readonly TufTarget[]>
  /** Whom the first root names, by public key; default the signers, one signature each. To be given when keys are offline. */
  readonly roles?: RootRoles
  /** Keeps what was published, apart from the documents. Without it, a database that went back is not noticed. */
  readonly record?: VersionRecord
  /** Where the repository is on the origin; default `/tuf`. */
  readonly prefix?: string
  readonly lifetimes?: Lifetimes
  /** Hears of renewals that failed in the background. */
  readonly onFailure?: (error: unknown) => void
}

/** What an operator has looked into: a database that is older than what was published, or a clock that was ahead. */
export type Resumption = 'rollback' | 'clock'

/** Makes the handle of the repository; nothing happens before `start` or another method is called. */
export function createTufRepository(options: TufRepositoryOptions): TufRepository {
  return new TufRepository(options)
}

const maxAttempts = 16
/** Whoever was beaten lets the faster one come to an end, and waits longer each time. */
const pauseMs = 10
/** Clocks of several front ends differ by seconds. */
const clockToleranceMs = 5 * 60_000

interface Request extends Wishes {
  readonly resume?: Resumption | undefined
}

/**
 * One repository. Several may work on the same documents: each edition is published by compare-and-swap, as one step. Methods
 * that publish throw CountersignError TUF_ROLLED_BACK, CLOCK_SUSPECT, CONFIGURATION_INVALID and STORAGE_FAILED, and publish nothing then.
 */
export class TufRepository implements Service {
  readonly routes: Hono
  readonly #options: TufRepositoryOptions
  readonly #store: RepositoryStore
  readonly #lifetimes: Lifetimes
  readonly #renewal: Renewal
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: TufRepositoryOptions) {
    this.#options = options
    this.#store = new RepositoryStore(options.documents)
    this.#lifetimes = options.lifetimes ?? defaultLifetimes
    this.#renewal = createRenewal({ isDue: () => this.#isDue(), renew: () => this.refresh(), onFailure: options.onFailure })
    this.routes = createRoutes(options.prefix ?? '/tuf', (path) => this.#serve(path))
  }

  /** Publishes what there is to publish, and renews it from then on. Throws also when the first edition lacks signatures. */
  async start(): Promise<void> {
    const targets = await this.#options.targets?.()
    const { versions, awaiting } = await (targets === undefined ? this.refresh() : this.publish(targets))
    if (versions === undefined) {
      if (awaiting.length === 0) throw new CountersignError('CONFIGURATION_INVALID', 'the TUF repository has no targets to publish')
      const missing = awaiting.map(({ role, signed, threshold }) => `${role}.json (${signed} of ${threshold} signatures)`).join(' and ')
      throw new CountersignError(
        'CONFIGURATION_INVALID',
        `the TUF repository cannot be published yet: keys that are offline have to sign ${missing}; use countersign server tuf export, sign-root, sign-targets and import`,
      )
    }
    this.#renewal.start()
  }

  async close(): Promise<void> {
    this.#renewal.stop()
    await this.#queue.catch(() => {})
  }

  /** Publishes these targets in place of those of before, if they differ. */
  publish(targets: readonly TufTarget[]): Promise<Outcome> {
    return this.#enqueue(async () => {
      const described = describeTargets(targets)
      for (const { contents } of targets) await this.#store.putContents(contents)
      return this.#update({ targets: described })
    })
  }

  /** Makes anew what is due, and publishes what has got its last signature. */
  refresh(): Promise<Outcome> {
    return this.#enqueue(() => this.#update({}))
  }

  /**
   * Makes the next root. It is published with the signatures of the last root's keys and its own; what keys at hand do not sign
   * waits in `pending('root')`, and in `pending('targets')` if their keys change.
   * @param roles whom it names; without it, those of the last one
   */
  rotate(roles?: RootRoles): Promise<Outcome> {
    return this.#enqueue(() => this.#update({ roles: roles ?? 'same' }))
  }

  /** The metadata file that waits for signatures of keys that are offline, with those it has. */
  pending(role: OfflineRole): Promise<Uint8Array | undefined> {
    return this.#store.pending(role)
  }

  /** Whom the published root names, or the one that waits for signatures, by public key; undefined when there is none. */
  async roles(which: 'published' | 'pending' = 'published'): Promise<RootRoles | undefined> {
    if (which === 'pending') return rolesOf(await readPending(this.#store, 'root'))
    return rolesOf((await loadPublished(this.#store))?.edition.root.metadata)
  }

  /**
   * Takes the pending root or targets with more signatures, or a next root that was made and signed elsewhere, and publishes
   * what is complete. What cannot be published, as a root that names other online keys than the configured ones, is not kept.
   * @throws VerificationError TUF_UNVERIFIED; CountersignError CONFLICT when something else is pending, SIGNATURE_INVALID when it
   * has no signature that was missing
   */
  importSigned(bytes: Uint8Array): Promise<Outcome> {
    return this.#enqueue(async () => {
      const undo = await takeSigned(this.#store, bytes)
      try {
        return await this.#update({})
      } catch (error) {
        // Otherwise every renewal to come would fail like this one.
        if (error instanceof CountersignError && error.code === 'CONFIGURATION_INVALID') await undo()
        throw error
      }
    })
  }

  /** Goes on after an operator has looked into it: with versions above all that were published, or with the clock as it is. */
  resume(what: Resumption): Promise<Outcome> {
    return this.#enqueue(() => this.#update({ resume: what }))
  }

  /** A file of the repository by its path below the repository's address. */
  async file(path: string): Promise<Uint8Array | undefined> {
    // Contents of a timestamp are removed when the next one is published: look for the next one then.
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const digest = ownValue((await this.#store.load())?.state.files, path)
      if (digest === undefined) return undefined
      const bytes = await this.#store.contents(digest)
      if (bytes !== undefined) return bytes
    }
    throw new CountersignError('STORAGE_FAILED', `the stored TUF repository has no contents for ${path}`)
  }

  /** The state of the repository, for health checks and the operator. */
  async status(): Promise<RepositoryStatus> {
    const stored = await loadPublished(this.#store)
    const outcome = await this.#outcome(stored)
    if (stored === undefined) return { ...outcome, expires: undefined, problems: ['the TUF repository is empty'], notices: [] }
    const { problems, notices } = assess(outcome.awaiting, stored.state.expires, this.#options.clock())
    try {
      await checkRecord(this.#options.record, stored?.state)
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      problems.push(error.message)
    }
    return { ...outcome, expires: stored.state.expires, problems, notices }
  }

  /**
   * Reads everything that is stored again, and checks it as clients do and against the record of what was published.
   * @returns what is wrong: sentences
   */
  async check(): Promise<string[]> {
    let stored = await this.#store.load()
    let problems: string[] = []
    for (let checked: number | undefined; stored !== undefined && checked !== stored.documentVersion; stored = await this.#store.load()) {
      checked = stored.documentVersion
      problems = await checkStored(this.#store, stored.state)
    }
    try {
      await checkRecord(this.#options.record, stored?.state)
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      problems.push(error.message)
    }
    return problems
  }

  /** One change at a time in this process; other processes are told apart by compare-and-swap. */
  #enqueue<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action, action)
    this.#queue = result.catch(() => {})
    return result
  }

  async #update(request: Request): Promise<Outcome> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (attempt > 0) await setTimeout(attempt * pauseMs)
      if (await this.#tryUpdate(await loadPublished(this.#store), request)) return this.#outcome(await loadPublished(this.#store))
    }
    throw new CountersignError('STORAGE_FAILED', `other servers published to the TUF repository ${maxAttempts} times in a row; try again`)
  }

  /** @returns false when another server was faster */
  async #tryUpdate(stored: Published | undefined, request: Request): Promise<boolean> {
    const recorded = await checkRecord(this.#options.record, stored?.state, request.resume === 'rollback')
    const before = stored?.edition
    const terms: Terms = {
      signers: this.#options.signers,
      lifetimes: this.#lifetimes,
      now: this.#options.clock(),
      floor: (request.resume === 'rollback' ? recorded?.versions : undefined) ?? noVersions,
      force: request.resume !== undefined,
    }
    const edition = await proposeEdition(this.#store, before, request, this.#options.roles ?? rolesOfSigners(terms.signers), terms)
    if (edition === undefined || isSameEdition(before, edition)) {
      if (stored !== undefined) await keepRecord(this.#options.record, stored.state, recorded)
      return true
    }
    if (stored !== undefined && request.resume !== 'clock') checkClock(stored.state.signedAtMs, terms.now)
    if (edition.root.metadata.signed.version < terms.floor.root) {
      const missing = `${edition.root.metadata.signed.version + 1}.root.json`
      throw new CountersignError('TUF_ROLLED_BACK', `the database lacks ${missing}, which was published; restore or import it first`)
    }
    checkEdition(before, edition)
    const state = await publishEdition(this.#store, stored, edition, terms.now)
    if (state === undefined) return false
    await keepRecord(this.#options.record, state, recorded)
    return true
  }

  async #outcome(stored: Published | undefined): Promise<Outcome> {
    return { versions: stored?.state.versions, awaiting: await awaitedSignatures(this.#store, stored?.edition.root.metadata) }
  }

  async #isDue(): Promise<boolean> {
    const stored = await this.#store.load()
    const terms = { lifetimes: this.#lifetimes, now: this.#options.clock() }
    return (
      stored !== undefined &&
      (['timestamp', 'snapshot', 'targets', 'root'] as const).some((role) => isDue(stored.state.expires[role], role, terms))
    )
  }

  /** Answers a request. The timestamp is renewed first if it is due, as after a long sleep. */
  async #serve(path: string): Promise<Uint8Array | undefined> {
    if (path === 'timestamp.json') await this.#renewal.catchUp()
    return this.file(path)
  }
}

function rolesOf(root: RoleMetadata<'root'> | undefined): RootRoles | undefined {
  return root && rolesOfRoot(root)
}

function checkClock(signedAt: number, now: number): void {
  if (now >= signedAt - clockToleranceMs) return
  throw new CountersignError(
    'CLOCK_SUSPECT',
    `nothing is signed for the TUF repository: the clock says ${new Date(now).toISOString()}, and it was ${new Date(signedAt).toISOString()} when it was last signed; set the clock, or if it was ahead then: countersign server tuf resume --clock`,
  )
}

function ownValue(record: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}
