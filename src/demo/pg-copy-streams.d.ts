/** The package ships no types; this is the part used here. */
declare module 'pg-copy-streams' {
  import type { Writable } from 'node:stream'
  import type { Connection } from 'pg'

  export function from(sql: string): Writable & { submit(connection: Connection): void }
}
