/** A port for a log's write-once objects: full tiles and bundles. Everything in it can be derived from what the head store keeps. */

/** An object and its name in the log, such as `tile/0/x001/067`. */
export interface StoredObject {
  readonly name: string
  readonly data: Uint8Array
}

export interface ObjectStore {
  /** @throws CountersignError STORAGE_FAILED */
  get(logId: string, name: string): Promise<Uint8Array | undefined>
  /**
   * Makes objects durable. Writing the same bytes again changes nothing.
   * @throws CountersignError LOG_CORRUPT when there is an object of that name with other bytes; STORAGE_FAILED
   */
  put(logId: string, objects: readonly StoredObject[]): Promise<void>
}
