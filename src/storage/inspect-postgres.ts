import type { DataSource } from 'typeorm'
import { withConnection } from './query'
import { schemaOf } from './schema'

/** What a Postgres says of itself and of what this user may do there. */
export interface PostgresFacts {
  /** `18.4` */
  readonly version: string
  readonly major: number
  readonly user: string
  readonly database: string
  /** A standby takes no writes. */
  readonly isStandby: boolean
  readonly hasSchema: boolean
  /** Whether the user may create rollups: in the schema, or the schema itself where there is none. */
  readonly mayCreate: boolean
  /** The collation in which filters ignore case. */
  readonly hasFoldingCollation: boolean
  /** Most connections the server takes. */
  readonly maxConnections: number
}

/** Asks Postgres about itself. Reads its catalogue alone. */
export async function inspectPostgres(dataSource: DataSource): Promise<PostgresFacts> {
  const { rows } = await withConnection(dataSource, (query) =>
    query(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
         current_user AS user, current_database() AS database, pg_is_in_recovery() AS is_standby,
         to_regnamespace($1) IS NOT NULL AS has_schema,
         CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
           ELSE has_schema_privilege(to_regnamespace($1)::oid, 'CREATE') AND has_schema_privilege(to_regnamespace($1)::oid, 'USAGE')
         END AS may_create,
         EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') AS has_folding_collation,
         current_setting('max_connections')::int AS max_connections`,
      [schemaOf(dataSource)],
    ),
  )
  const row = rows[0] ?? {}
  return {
    version: String(row.version).split(' ')[0] ?? '',
    major: Number(row.major),
    user: String(row.user),
    database: String(row.database),
    isStandby: row.is_standby === true,
    hasSchema: row.has_schema === true,
    mayCreate: row.may_create === true,
    hasFoldingCollation: row.has_folding_collation === true,
    maxConnections: Number(row.max_connections),
  }
}
