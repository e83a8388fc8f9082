/** Where two verifiers differ over one input, and the named reasons for which they may. */

/** What two verifiers say of one input. */
export interface Verdicts {
  /** What was done to what. */
  readonly mutation: string
  /** Our code and message, or undefined where we accept. */
  readonly ours: string | undefined
  /** Their message, or undefined where they accept. */
  readonly theirs: string | undefined
}

/** A reason for which we refuse what they accept. */
export interface Stricter {
  readonly why: string
  /** Of the mutation. */
  readonly where?: RegExp
  /** Of our code and message. */
  readonly ours: RegExp
  /** Only some flipped bits need it, and which are flipped where differs with the keys of each run. */
  readonly byChance?: true
}

/** A reason for which we accept what they refuse: the dangerous side, so each comes from a specification. */
export interface MoreLenient {
  readonly why: string
  /** Of the mutation. */
  readonly where: RegExp
  /** Of their message. */
  readonly theirs: RegExp
  readonly byChance?: true
}

/** Every reason for which ours and one other verifier may differ. */
export interface Explanations {
  readonly stricter: readonly Stricter[]
  readonly moreLenient: readonly MoreLenient[]
}

/** Counts comparisons, and the reasons that they needed. */
export class Comparison {
  readonly #explanations: Explanations
  readonly #used = new Set<string>()
  #compared = 0
  #agreedToAccept = 0

  constructor(explanations: Explanations) {
    this.#explanations = explanations
  }

  /** How many inputs both have judged. */
  get compared(): number {
    return this.#compared
  }

  /** How many of them both have accepted. */
  get agreedToAccept(): number {
    return this.#agreedToAccept
  }

  /** The reasons that explained nothing: they should not be there. */
  get unused(): readonly string[] {
    const { stricter, moreLenient } = this.#explanations
    return [...stricter, ...moreLenient].filter(({ why, byChance }) => byChance !== true && !this.#used.has(why)).map(({ why }) => why)
  }

  /** Takes note of two verdicts over one input, and answers whether they are the same or their difference is explained. */
  add(found: Verdicts): boolean {
    this.#compared++
    const { ours, theirs } = found
    if (ours === undefined && theirs === undefined) this.#agreedToAccept++
    if ((ours === undefined) === (theirs === undefined)) return true
    const reason = this.#reasonFor(found)
    if (reason !== undefined) this.#used.add(reason)
    return reason !== undefined
  }

  #reasonFor({ mutation, ours, theirs }: Verdicts): string | undefined {
    const { stricter, moreLenient } = this.#explanations
    if (ours !== undefined) return stricter.find((reason) => (reason.where?.test(mutation) ?? true) && reason.ours.test(ours))?.why
    return moreLenient.find((reason) => reason.where.test(mutation) && reason.theirs.test(theirs ?? ''))?.why
  }
}
