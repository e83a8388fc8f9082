/** The order of test files, where vitest knows none: its memory of durations is lost with `node_modules`, and then it goes by file size. */
import type { TestSpecification, TestSequencerConstructor } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/**
 * These files begin first, in this order, so that none of them is left to run alone at the end.
 * @param longest how their paths end, the longest-running first; only what takes much longer than the rest need be here
 */
export function longestFirst(longest: readonly string[]): TestSequencerConstructor {
  const rank = ({ moduleId }: TestSpecification): number => {
    const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
    return at === -1 ? longest.length : at
  }
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      const sorted = await super.sort(files)
      return sorted.toSorted((a, b) => rank(a) - rank(b))
    }
  }
}
