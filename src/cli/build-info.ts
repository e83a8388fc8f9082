/** What the build knows about itself. The constants are put in by the bundler; running from source there are none. */

declare const __COUNTERSIGN_VERSION__: string | undefined
declare const __COUNTERSIGN_COMMIT__: string | undefined
declare const __COUNTERSIGN_TREE_STATE__: string | undefined
declare const __COUNTERSIGN_BUILD_DATE__: string | undefined

/** Where a build comes from. What is not known is `unknown`. */
export interface BuildInfo {
  /** With a leading `v`, or `devel` when running from source. */
  readonly version: string
  readonly commit: string
  /** `clean` or `dirty`. */
  readonly treeState: string
  /** ISO 8601. */
  readonly date: string
}

/** The build that is running. */
export const buildInfo: BuildInfo = {
  version: typeof __COUNTERSIGN_VERSION__ === 'string' ? `v${__COUNTERSIGN_VERSION__.replace(/^v/, '')}` : 'devel',
  commit: typeof __COUNTERSIGN_COMMIT__ === 'string' ? __COUNTERSIGN_COMMIT__ : 'unknown',
  treeState: typeof __COUNTERSIGN_TREE_STATE__ === 'string' ? __COUNTERSIGN_TREE_STATE__ : 'unknown',
  date: typeof __COUNTERSIGN_BUILD_DATE__ === 'string' ? __COUNTERSIGN_BUILD_DATE__ : 'unknown',
}
