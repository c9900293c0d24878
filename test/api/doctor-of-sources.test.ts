import { createOperator, type Operator } from '../support/operator'

const MANY = 20_000
const FEW = 5000

const FROM_TABLE = "source: 'events'"
const trigger = (source = FROM_TABLE) => `${source}, refresh: { capture: 'trigger' }`

let operator: Operator

beforeEach(async () => {
  operator = await createOperator()
})
afterEach(() => operator.leave())

/** What `aggregraph doctor` says of the dataset beyond that it is built. */
async function diagnose(options: string): Promise<string[]> {
  const { stdout } = await operator.run('doctor', options)
  const found = stdout.split('\n').filter((line) => /^\w+ +events: /.test(line))
  return found.filter((line) => !/: (not )?built[,:]/.test(line))
}

const sql = async (statements: string) => void (await operator.database.query(statements))
const INDEX = 'CREATE INDEX ON events (at)'

describe('a source whose time has an index', () => {
  const VIEW = 'CREATE VIEW recent AS SELECT at AS happened, kind FROM events; ALTER TABLE events RENAME at TO created'
  it.each([
    ['of its own', INDEX, trigger()],
    ['that goes on with another column', 'CREATE INDEX ON events (at, kind)', trigger()],
    ['by block ranges', 'CREATE INDEX ON events USING brin (kind, at)', trigger()],
    [
      'under local times',
      `ALTER TABLE events ALTER at TYPE timestamp; ${INDEX}`,
      trigger(`${FROM_TABLE}, timezone: 'Europe/Madrid'`),
    ],
    ['of dates', `ALTER TABLE events ALTER at TYPE date USING at::date; ${INDEX}`, trigger()],
    ['behind a view', `${INDEX}; ${VIEW}`, `source: 'recent', time: 'happened', refresh: { lookback: 'P3D' }`],
    [
      'behind a join',
      `${INDEX}; CREATE TABLE kinds AS SELECT DISTINCT kind FROM events`,
      trigger(`source: { sql: 'select e.* from events e join kinds using (kind)', dependsOn: ['events', 'kinds'] }`),
    ],
    ['in every partition', INDEX, trigger(), 'PARTITION BY RANGE (at)'],
    ['or hardly any rows', '', trigger(), '', FEW],
  ])('%s is well', async (_, statements, options, definition = '', rows = MANY) => {
    await createEvents(rows, definition)
    await sql(statements)
    expect(await diagnose(options)).toEqual([])
    await operator.run('refresh', options)
    expect(await diagnose(options)).toEqual([])
  })
})

async function createEvents(rows: number, definition: string): Promise<void> {
  await operator.createEvents(definition === '' ? rows : 0, definition)
  if (definition === '') return
  await sql(`CREATE TABLE events_march PARTITION OF events FOR VALUES FROM ('2026-03-01Z') TO ('2026-03-10Z');
    CREATE TABLE events_later PARTITION OF events FOR VALUES FROM ('2026-03-10Z') TO ('2026-05-01Z')`)
  await sql(`INSERT INTO events
    SELECT '2026-03-01Z'::timestamptz + i * interval '1 minute', i % 5 || '' FROM generate_series(1, ${rows}) AS i`)
  await sql('ANALYZE events')
}

describe('a source whose time has no index', () => {
  const reads = 'FAULT   events: every refresh reads all of public.events (about 20,000 rows) for want of an index on'
  const byTime = (column: string) => `${reads} its time, "at": CREATE INDEX CONCURRENTLY ON public.events (${column}).`
  it.each([
    ['', trigger(), [byTime('at')]],
    ['CREATE INDEX ON events (kind, at)', trigger(), [byTime('at')]],
    ['CREATE INDEX ON events USING hash (at)', trigger(), [byTime('at')]],
    ['ALTER TABLE events ALTER at TYPE timestamp', trigger(`${FROM_TABLE}, timezone: 'Europe/Madrid'`), [byTime('at')]],
    ['ALTER TABLE events ALTER at TYPE date USING at::date; ANALYZE events', trigger(), [byTime('at')]],
    [
      'CREATE VIEW recent AS SELECT at, kind FROM (SELECT created AS at, kind FROM events) AS e',
      `source: 'recent', refresh: { lookback: 'P3D' }`,
      [byTime('created')],
      'ALTER TABLE events RENAME at TO created',
    ],
    ['CREATE INDEX ON events (changed)', `${FROM_TABLE}, refresh: { updatedAt: 'changed' }`, [byTime('at')]],
    [
      INDEX,
      `${FROM_TABLE}, refresh: { updatedAt: 'changed' }`,
      [`${reads} refresh.updatedAt: CREATE INDEX CONCURRENTLY ON public.events (changed).`],
    ],
    [
      '',
      `${FROM_TABLE}, refresh: 'manual'`,
      [byTime('at').replace('FAULT ', 'advice').replace('every refresh reads', 'a refresh of a range would read')],
    ],
    [
      INDEX,
      "source: { sql: 'select at, kind, row_number() over (order by at) from events' }, refresh: { lookback: 'P3D' }",
      [
        expect.stringMatching(
          /^advice {2}events: every refresh reads all of its source .*: Postgres makes its rows before/,
        ),
      ],
    ],
  ])('is told what to create: %s %s', async (statements, options, expected, first = '') => {
    await operator.createEvents(MANY)
    await sql(first)
    await sql(statements)
    expect(await diagnose(options)).toEqual(expected)
    await operator.run('refresh', options)
    expect(await diagnose(options)).toEqual(expected)
  })

  it('and has partitions is told what Postgres allows there', async () => {
    await createEvents(MANY, 'PARTITION BY RANGE (at)')
    expect(await diagnose(trigger())).toEqual([
      `${reads} its time, "at": CREATE INDEX ON public.events (at), after CREATE INDEX CONCURRENTLY on each of its partitions, which spares their writers.`,
    ])
  })
})

describe('capture by triggers', () => {
  const enable =
    /^FAULT {3}events: triggers on public\.events are disabled, .*: (ALTER TABLE public\.events ENABLE TRIGGER \S+)\.$/

  it('is told to have missed changes while a trigger is disabled, and how to enable it', async () => {
    await operator.createEvents(FEW)
    await operator.run('refresh', trigger())
    const [row] = await operator.database.query(`SELECT tgname FROM pg_trigger WHERE tgname LIKE '%_delete'`)
    await sql(`ALTER TABLE events DISABLE TRIGGER ${String(row?.tgname)}`)
    const [line = ''] = await diagnose(trigger())
    const statement = enable.exec(line)?.[1] ?? ''
    await sql(statement)
    expect(await diagnose(trigger())).toEqual([])
  })

  it('is told of triggers that are gone', async () => {
    await operator.createEvents(FEW)
    await operator.run('refresh', trigger())
    const [row] = await operator.database.query(`SELECT tgname FROM pg_trigger WHERE tgname LIKE '%_delete'`)
    await sql(`DROP TRIGGER ${String(row?.tgname)} ON events`)
    expect(await diagnose(trigger())).toEqual([
      expect.stringContaining('FAULT   events: triggers on public.events were dropped'),
    ])
    await operator.run('refresh', trigger())
    expect(await diagnose(trigger())).toEqual([])
  })

  it('is told of foreign tables, subscriptions, and tables it may not put triggers on', async () => {
    await operator.createEvents(0, 'PARTITION BY RANGE (at)')
    await sql(`CREATE TABLE kinds (kind text);
      CREATE TABLE events_march PARTITION OF events FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z');
      CREATE EXTENSION file_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER file_fdw;
      CREATE FOREIGN TABLE events_old PARTITION OF events FOR VALUES FROM ('2025-01-01Z') TO ('2026-01-01Z')
        SERVER elsewhere OPTIONS (filename '/dev/null', format 'csv')`)
    const joined = `source: { sql: 'select e.* from events e left join kinds using (kind)', dependsOn: ['events', 'kinds'] }`
    expect((await operator.run('migrate', trigger(joined))).code).toBe(0)
    const name = new URL(operator.database.url).pathname.slice(1)
    const user = `limited_${name.slice(5)}`
    await sql(`CREATE ROLE ${user} LOGIN PASSWORD 'verysecret';
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user}; GRANT TRIGGER ON events, events_march TO ${user};
      GRANT ALL ON SCHEMA aggregraph TO ${user}; GRANT ALL ON ALL TABLES IN SCHEMA aggregraph TO ${user};
      CREATE SUBSCRIPTION ${name} CONNECTION 'host=nowhere.invalid' PUBLICATION all_events WITH (connect = false);
      INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'events_march'::regclass, 'i' FROM pg_subscription WHERE subname = '${name}'`)
    const url = new URL(operator.database.url)
    url.username = user
    url.password = 'verysecret'
    operator.connectAs(url.href)
    const found = await diagnose(trigger(joined))
    await sql(
      `ALTER SUBSCRIPTION ${name} DISABLE; ALTER SUBSCRIPTION ${name} SET (slot_name = NONE); DROP SUBSCRIPTION ${name}; DROP OWNED BY ${user}; DROP ROLE ${user}`,
    )
    expect(found).toEqual([
      `FAULT   events: "${user}" may not create the triggers of capture: "trigger" on public.kinds: GRANT TRIGGER ON public.kinds TO "${user}", or follow the source with updatedAt, lookback or "manual".`,
      expect.stringContaining(
        'FAULT   events: a subscription writes to public.events_march, and logical replication fires no statement trigger',
      ),
      expect.stringContaining(
        'advice  events: no trigger sees the changes of foreign tables, public.events_old, so that the dataset is not exact',
      ),
    ])
  })
})
