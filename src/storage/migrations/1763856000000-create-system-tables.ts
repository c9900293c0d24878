import type { MigrationInterface, QueryRunner } from 'typeorm'
import { schemaOf } from '../schema'

/**
 * The layouts (the rollups of one definition) with their versions, the rollups of each, and the name of the installation:
 * it is part of every layout's name, so that two databases never share an entry of the cache.
 */
export class CreateSystemTables1763856000000 implements MigrationInterface {
  readonly name = 'CreateSystemTables1763856000000'

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner.dataSource)
    await runner.query(`CREATE TABLE ${schema}.installation (id uuid PRIMARY KEY)`)
    await runner.query(`INSERT INTO ${schema}.installation VALUES (gen_random_uuid())`)
    await runner.query(`
      CREATE TABLE ${schema}.layout (
        id text PRIMARY KEY,
        dataset text NOT NULL,
        seq bigint NOT NULL DEFAULT 0,
        version uuid NOT NULL DEFAULT gen_random_uuid(),
        ready_at timestamptz,
        data_from timestamptz,
        data_to timestamptz,
        data_as_of timestamptz,
        source_rows bigint,
        rows_without_time bigint NOT NULL DEFAULT 0,
        values_ignored bigint NOT NULL DEFAULT 0,
        last_error text,
        last_error_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      )`)
    await runner.query(`
      CREATE TABLE ${schema}.rollup (
        layout text NOT NULL REFERENCES ${schema}.layout ON DELETE CASCADE,
        position integer NOT NULL,
        name text NOT NULL,
        table_name text NOT NULL,
        row_count bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (layout, position)
      )`)
  }

  async down(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner.dataSource)
    await runner.query(`DROP TABLE ${schema}.rollup`)
    await runner.query(`DROP TABLE ${schema}.layout`)
    await runner.query(`DROP TABLE ${schema}.installation`)
  }
}
