/** Runs one SQL statement and returns its rows. */
export type RunQuery = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>
