import type { DataSource } from 'typeorm'
import type { Config } from '../config'
import { inspectPostgres, type PostgresFacts } from '../storage/inspect-postgres'
import { listPendingMigrations } from '../storage/migrate'
import { advice, type Finding, fault, ok } from './finding'

const OLDEST = 15

function checkRights(facts: PostgresFacts, { schema }: Config): Finding[] {
  const { user, database } = facts
  const role = `"${user}"`
  const findings: Finding[] = []
  if (facts.isStandby) {
    findings.push(fault('Postgres', 'it is a standby, which takes no writes: point DATABASE_URL at the primary.'))
  }
  if (!facts.mayCreate && !facts.hasSchema) {
    findings.push(
      fault(
        'Postgres',
        `${role} may not create the schema "${schema}": run the output of "aggregraph migrate --sql" as an administrator, or GRANT CREATE ON DATABASE "${database}" TO ${role}.`,
      ),
    )
  } else if (!facts.mayCreate) {
    findings.push(
      fault(
        'Postgres',
        `${role} may not create rollups in the schema "${schema}": GRANT USAGE, CREATE ON SCHEMA "${schema}" TO ${role}.`,
      ),
    )
  }
  return findings.length > 0 ? findings : [ok('Postgres', `${role} may create the schema "${schema}" and its rollups.`)]
}

/** Checks the server, the rights of the user and the schema of the rollups. */
export async function checkPostgres(dataSource: DataSource, config: Config): Promise<readonly Finding[]> {
  const facts = await inspectPostgres(dataSource)
  const findings = [
    facts.major >= OLDEST
      ? ok('Postgres', `version ${facts.version}, database "${facts.database}".`)
      : fault('Postgres', `version ${facts.version} is too old: upgrade to ${OLDEST} or later.`),
    ...checkRights(facts, config),
  ]
  if (!facts.hasFoldingCollation) {
    findings.push(
      fault(
        'Postgres',
        'it has no collation "und-x-icu", in which filters ignore case: use a Postgres that is built with ICU.',
      ),
    )
  }
  if (config.databasePool > facts.maxConnections / 2) {
    findings.push(
      advice(
        'DATABASE_POOL',
        `one process may take ${config.databasePool} of the ${facts.maxConnections} connections of this server: lower it, or raise max_connections.`,
      ),
    )
  }
  const pending = await listPendingMigrations(dataSource)
  if (pending.length === 0) findings.push(ok('Schema', `"${config.schema}" is up to date.`))
  else if (config.migrate === 'auto') {
    findings.push(advice('Schema', `"${config.schema}" is not up to date; the next start brings it up to date.`))
  } else {
    findings.push(fault('Schema', `"${config.schema}" is not up to date, and MIGRATE=check: run "aggregraph migrate".`))
  }
  return findings
}
