import type { Definition } from '../../../src/dataset/definition'
import { valueSql } from '../../../src/storage/measure-sql'
import { layoutId } from '../../../src/storage/rollup-table'
import type { TestDatabase } from '../database'
import type { KnownMeasure, KnownRollup, Release } from './release'
import { atRest, type World } from './world'

type Database = Pick<TestDatabase, 'query'>

/** A definition in the two forms in which it is known: as the tests wrote it, and as Aggregraph understood it. */
export interface Live {
  readonly release: Release
  readonly definition: Definition
}

const CLOCK_STEPS: Readonly<Record<string, string>> = { minute: '1 minute', quarter_hour: '15 minutes', hour: '1 hour' }

/** The instant of a source row. */
function instantSql({ timeType }: World, { timezone }: Release): string {
  if (timeType === 'timestamptz') return 'at'
  return timeType === 'date' ? `(at::timestamp AT TIME ZONE 'UTC')` : `(at AT TIME ZONE '${timezone}')`
}

/** The bucket of an instant: what Postgres itself makes of the zone. */
function bucketSql({ timeType }: World, granularity: string, timezone: string, instant: string): string {
  const step = CLOCK_STEPS[granularity]
  if (step !== undefined) return `date_bin('${step}', ${instant}, timestamptz '2001-01-01 00:00Z')`
  return `date_trunc('${granularity}', ${instant}, '${timeType === 'date' ? 'UTC' : timezone}')`
}

/** The rows of the source, with `instant`, null where there is no time that has a bucket. */
function rowsSql(world: World, release: Release): string {
  const instant = instantSql(world, release)
  const label = world.flavour === 'query' ? `, (SELECT label FROM ${world.schema}.d WHERE id = kind) AS label` : ''
  const isUsable = `isfinite(at) AND ${instant} >= '0001-01-02Z' AND ${instant} < '9999-01-01Z'`
  return `(SELECT *${label}, CASE WHEN ${isUsable} THEN ${instant} END AS instant FROM ${world.schema}.t) AS source`
}

/** Where a rollup begins that forgets. */
function floorSql(world: World, { granularity, timezone, keep }: KnownRollup): string {
  if (keep === null) return `'-infinity'::timestamptz`
  const now = `'${new Date(atRest(world)).toISOString()}'::timestamptz`
  const day = `date_trunc('day', ${now} - interval '${keep}', 'UTC')`
  return bucketSql(world, granularity, timezone, day)
}

const key = (bucket: string, by: readonly string[]) =>
  `concat_ws('|', extract(epoch FROM ${bucket})::text, ${['NULL', ...by.map((name) => `coalesce('=' || ${name}::text, '')`)].join(', ')})`

function isNear({ nearness }: KnownMeasure, index: number): string {
  const [is, shall] = [`a.v${index}`, `e.v${index}`]
  if (nearness === 'equal') return `${is} IS NOT DISTINCT FROM ${shall}`
  const slack = {
    float: `1e-12 * coalesce(e.s${index}, 0)`,
    distinct: `greatest(1, 0.03 * ${shall})`,
    quantile: `0.0101 * abs(${shall}) + 1e-300`,
  }[nearness]
  return `((${is} IS NULL) = (${shall} IS NULL) AND coalesce(abs(${is} - ${shall}) <= ${slack}, ${is} IS NULL))`
}

/** Lists up to three groups of a rollup that are not what the source says, and how many rows it should have. */
async function compareRollup(
  database: Database,
  world: World,
  { release, definition }: Live,
  position: number,
): Promise<{ readonly wrong: string[]; readonly rows: number }> {
  const rollup = release.rollups[position]
  const found = await database.query('SELECT table_name FROM aggregraph.rollup WHERE layout = $1 AND position = $2', [
    layoutId(definition),
    position,
  ])
  if (rollup === undefined) throw new Error(`There is no rollup ${position}`)
  const cast = ({ nearness }: KnownMeasure) => (nearness === 'equal' ? 'text' : 'float8')
  // Averages are divided as they are and come out as floats.
  const exact = (measure: KnownMeasure, sql: string) =>
    measure.spec.kind === 'avg' || /price|f/.test(measure.ignores ?? '') ? `(${sql})::float8` : sql
  const values = release.measures.map((measure, index) => {
    const actual = valueSql(definition, measure.name, (column) => `"${column}"`)
    return {
      actual: `(${exact(measure, actual)})::${cast(measure)} AS v${index}`,
      expected: `(${exact(measure, measure.sql)})::${cast(measure)} AS v${index}, ${measure.magnitude ?? '0'} AS s${index}`,
    }
  })
  const bucket = bucketSql(world, rollup.granularity, rollup.timezone, 'instant')
  const rows = await database.query(`
    WITH a AS (SELECT ${key('bucket', rollup.by)} AS key, ${values.map(({ actual }) => actual).join(', ')}
      FROM aggregraph."${found[0]?.table_name}"),
    e AS MATERIALIZED (SELECT ${key(bucket, rollup.by)} AS key, ${values.map(({ expected }) => expected).join(', ')}
      FROM ${rowsSql(world, release)} WHERE instant IS NOT NULL AND ${bucket} >= ${floorSql(world, rollup)} GROUP BY 1)
    SELECT (SELECT count(*) FROM e)::integer AS rows, (SELECT count(*) FROM a)::integer AS kept, a.key AS is_key, e.key AS shall_key, to_json(a)::text AS is, to_json(e)::text AS shall
    FROM (SELECT) AS one LEFT JOIN (a FULL JOIN e ON a.key = e.key)
      ON a.key IS NULL OR e.key IS NULL OR NOT (${release.measures.map(isNear).join(' AND ')}) LIMIT 3`)
  const wrong = rows.flatMap((row) =>
    row.is_key === null && row.shall_key === null
      ? []
      : [`${definition.rollups[position]?.name}: is ${row.is ?? 'absent'}, shall be ${row.shall ?? 'absent'}`],
  )
  const [{ rows: shall, kept } = {}] = rows
  if (kept !== shall) wrong.push(`${definition.rollups[position]?.name}: has ${kept} rows, shall have ${shall}`)
  return { wrong, rows: Number(shall) }
}

/** Where the record of the source begins: with the rollup that remembers longest. */
function recordFloorSql(world: World, { rollups }: Release): string {
  return `least(${rollups.map((rollup) => floorSql(world, rollup)).join(', ')})`
}

async function compareRecord(database: Database, world: World, { release, definition }: Live, rows: readonly number[]) {
  const zone = world.timeType === 'date' ? 'UTC' : release.timezone
  const isKept = `${bucketSql(world, release.granularity, zone, 'instant')} >= ${recordFloorSql(world, release)}`
  const first = bucketSql(world, release.granularity, zone, `min(instant) FILTER (WHERE ${isKept})`)
  const last = bucketSql(world, release.granularity, zone, `max(instant) FILTER (WHERE ${isKept})`)
  const step = CLOCK_STEPS[release.granularity]
  const end =
    step === undefined
      ? `((${last} AT TIME ZONE '${zone}') + interval '1 day') AT TIME ZONE '${zone}'`
      : `${last} + interval '${step}'`
  const ignored = ['price', 'f'].filter((column) => release.measures.some(({ ignores }) => ignores === column))
  const ignoredSql = ignored.map(
    (column) => `count(*) FILTER (WHERE NOT abs(${column}) < 'Infinity' AND instant IS NOT NULL)`,
  )
  const [expected] =
    await database.query(`SELECT json_build_object('from', extract(epoch FROM ${first}), 'to', extract(epoch FROM ${end}),
      'source', count(instant), 'timeless', (SELECT count(*) FROM ${rowsSql(world, release)} WHERE instant IS NULL), 'ignored', ${ignoredSql.join(' + ') || '0'},
      'rollups', '${JSON.stringify(rows)}'::json, 'behind', false, 'error', NULL, 'ready', true, 'built', '-infinity')::text AS record
    FROM ${rowsSql(world, release)}`)
  const [actual] = await database.query(
    `SELECT json_build_object('from', extract(epoch FROM data_from), 'to', extract(epoch FROM data_to),
      'source', source_rows, 'timeless', rows_without_time, 'ignored', values_ignored,
      'rollups', (SELECT json_agg(row_count ORDER BY position) FROM aggregraph.rollup WHERE layout = id),
      'behind', is_behind, 'error', last_error, 'ready', ready_at IS NOT NULL, 'built', built_from)::text AS record
    FROM aggregraph.layout WHERE id = $1`,
    [layoutId(definition)],
  )
  const read = (row: Record<string, unknown> | undefined) => JSON.stringify(JSON.parse(String(row?.record ?? 'null')))
  return read(actual) === read(expected) ? [] : [`record: is ${read(actual)}, shall be ${read(expected)}`]
}

/** What is wrong with the rollups of a definition at rest, in words; nothing when they equal the source. */
export async function compareLayout(database: Database, world: World, live: Live): Promise<string[]> {
  const wrong: string[] = []
  const rows: number[] = []
  for (const position of live.release.rollups.keys()) {
    const compared = await compareRollup(database, world, live, position)
    wrong.push(...compared.wrong)
    rows.push(compared.rows)
  }
  return [...wrong, ...(await compareRecord(database, world, live, rows))]
}
