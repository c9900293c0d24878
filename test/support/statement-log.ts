import type { Logger } from 'typeorm'

/** Remembers every statement that TypeORM sent, with its parameters. */
export interface StatementLog extends Logger {
  readonly statements: readonly { readonly sql: string; readonly parameters: readonly unknown[] }[]
  /** Statements that read rollups: those of parts, not the version reads of the floor. */
  partReads(): number
  clear(): void
}

export function createStatementLog(): StatementLog {
  const statements: { sql: string; parameters: readonly unknown[] }[] = []
  const ignore = () => undefined
  return {
    statements,
    partReads: () => statements.filter(({ sql }) => sql.startsWith('WITH state AS')).length,
    clear: () => {
      statements.length = 0
    },
    logQuery: (sql, parameters) => {
      statements.push({ sql, parameters: Array.isArray(parameters) ? parameters : [] })
    },
    logQueryError: ignore,
    logQuerySlow: ignore,
    logSchemaBuild: ignore,
    logMigration: ignore,
    log: ignore,
  }
}
