/** What a test of the matrix is about: `matrix-reporter.ts` makes the table of it that ends the suite. */

/** One client's judgement of what another made. */
export interface Agreement {
  /** What was made, by whom, such as "blob by cosign, Rekor v2". */
  readonly made: string
  /** Who judges it. */
  readonly judge: string
  /** What the table says when the test passes. */
  readonly outcome: string
}

declare module 'vitest' {
  interface TaskMeta {
    agreement?: Agreement
  }
}

/** Options of a test that is a cell of the matrix. */
export function cell(made: string, judge: string, outcome = 'yes'): { readonly meta: { readonly agreement: Agreement } } {
  return { meta: { agreement: { made, judge, outcome } } }
}
