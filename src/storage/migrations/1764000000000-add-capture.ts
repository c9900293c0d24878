import type { MigrationInterface, QueryRunner } from 'typeorm'
import { quoteIdentifier } from '../../dataset/sql'
import { schemaOf } from '../schema'

/**
 * What incremental refreshes need: the recipe of every layout, so that any process can keep any of them current, and how
 * far each is built; who serves which; the marks of changed buckets, and the tables whose changes are captured.
 */
export class AddCapture1764000000000 implements MigrationInterface {
  readonly name = 'AddCapture1764000000000'

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner.dataSource)
    // Layouts of the release before have no recipe: it keeps them current itself, as it always did.
    await runner.query(`
      ALTER TABLE ${schema}.layout
        ADD COLUMN recipe jsonb,
        ADD COLUMN built_from timestamptz,
        ADD COLUMN is_behind boolean NOT NULL DEFAULT false,
        ADD COLUMN is_exact boolean NOT NULL DEFAULT false,
        ADD COLUMN rebuilt_at timestamptz,
        ADD COLUMN watermark timestamptz,
        ADD COLUMN next_watermark timestamptz,
        ADD COLUMN next_watermark_xid xid8,
        ADD COLUMN next_watermark_open text[],
        ADD COLUMN frozen_marks bigint NOT NULL DEFAULT 0`)
    await runner.query(`ALTER TABLE ${schema}.rollup ADD COLUMN kept_from timestamptz`)
    await runner.query(`
      CREATE TABLE ${schema}.serving (
        layout text PRIMARY KEY REFERENCES ${schema}.layout ON DELETE CASCADE,
        seen_at timestamptz NOT NULL
      )`)
    // Append-only, and without a unique key: writers never meet each other, nor the refresher.
    await runner.query(`
      CREATE TABLE ${schema}.dirty (
        dataset text NOT NULL,
        lower timestamptz,
        upper timestamptz,
        is_whole boolean NOT NULL DEFAULT false,
        marked_at timestamptz NOT NULL DEFAULT now()
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000)`)
    await runner.query(`CREATE INDEX dirty_dataset ON ${schema}.dirty (dataset)`)
    await runner.query(`
      CREATE TABLE ${schema}.capture (
        dataset text NOT NULL,
        function text NOT NULL,
        relation oid NOT NULL,
        lower timestamptz,
        upper timestamptz,
        PRIMARY KEY (dataset, function, relation)
      )`)
    // So that a role that may only read can still say what it serves.
    await runner.query(`
      CREATE FUNCTION ${schema}.announce(layouts text[]) RETURNS void LANGUAGE sql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp
      BEGIN ATOMIC
        INSERT INTO ${schema}.serving AS known (layout, seen_at)
        SELECT id, now() FROM ${schema}.layout WHERE id = ANY (layouts) ORDER BY id
        ON CONFLICT (layout) DO UPDATE SET seen_at = now() WHERE known.seen_at < now() - interval '20 seconds';
      END`)
  }

  async down(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner.dataSource)
    // With their triggers: a writer must not look for a table that is gone.
    const functions: readonly { readonly function: string }[] = await runner.query(
      `SELECT DISTINCT function FROM ${schema}.capture`,
    )
    for (const { function: name } of functions) {
      await runner.query(`DROP FUNCTION IF EXISTS ${schema}.${quoteIdentifier(name)}() CASCADE`)
    }
    await runner.query(`DROP FUNCTION ${schema}.announce(text[])`)
    await runner.query(`DROP TABLE ${schema}.capture`)
    await runner.query(`DROP TABLE ${schema}.dirty`)
    await runner.query(`DROP TABLE ${schema}.serving`)
    await runner.query(`ALTER TABLE ${schema}.rollup DROP COLUMN kept_from`)
    await runner.query(`
      ALTER TABLE ${schema}.layout DROP COLUMN recipe, DROP COLUMN built_from, DROP COLUMN is_behind, DROP COLUMN is_exact,
        DROP COLUMN rebuilt_at, DROP COLUMN watermark, DROP COLUMN next_watermark, DROP COLUMN next_watermark_xid,
        DROP COLUMN next_watermark_open,
        DROP COLUMN frozen_marks`)
  }
}
