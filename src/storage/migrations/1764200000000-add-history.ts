import type { MigrationInterface, QueryRunner } from 'typeorm'
import { schemaOf } from '../schema'

/**
 * What lets entries over stretches of time that a refresh left alone stay current: the version that last changed anything in
 * each stretch, and the versions that led to the current one.
 */
export class AddHistory1764200000000 implements MigrationInterface {
  readonly name = 'AddHistory1764200000000'

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner.dataSource)
    await runner.query(`
      ALTER TABLE ${schema}.layout
        ADD COLUMN changes jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN lineage text NOT NULL DEFAULT ''`)
    await runner.query(`
      UPDATE ${schema}.layout SET lineage = left(version::text, 8),
        changes = jsonb_build_array(jsonb_build_array(null, null, seq || '.' || version))`)
  }

  async down(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner.dataSource)
    await runner.query(`ALTER TABLE ${schema}.layout DROP COLUMN changes, DROP COLUMN lineage`)
  }
}
