/**
 * Who must not meet on a storage. A `server` is the only one on a database file; on PostgreSQL there may be several. One that is `sole` does
 * what no server may run beside.
 */
export type StorageUser = 'server' | 'sole'
