import { createRandom, type Random } from '../oracle/random'

/** What a source is: one table, one with partitions, or a query that joins a second table to it. */
export type Flavour = 'table' | 'partitions' | 'query'
export type TimeType = 'timestamptz' | 'timestamp' | 'date'

/** The source of one history, and the stretch of time in which most of its rows lie. */
export interface World {
  readonly seed: number
  readonly flavour: Flavour
  /** Schema of the source's tables. */
  readonly schema: string
  /** Name of the class that declares the dataset, and of its query. */
  readonly className: string
  readonly dataset: string
  readonly timeType: TimeType
  /** Zone of local times, and of days. */
  readonly zone: string
  /** Middle of the rows' times, as the milliseconds that the wall clock of the time column would be in UTC. */
  readonly centre: number
  /** What a refresher takes for now, in epoch milliseconds. */
  readonly now: number
  /** Rows at the start. */
  readonly rows: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Places where clocks change: by an hour forwards and back, by half an hour, and nowhere. */
const PLACES: readonly (readonly [zone: string, local: string, instant: string])[] = [
  ['Europe/Madrid', '2026-03-29T02:00Z', '2026-03-29T01:00Z'],
  ['Europe/Madrid', '2026-10-25T02:00Z', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T02:00Z', '2026-03-08T07:00Z'],
  ['Australia/Lord_Howe', '2026-04-05T02:00Z', '2026-04-04T15:00Z'],
  ['UTC', '2026-02-28T23:00Z', '2026-02-28T23:00Z'],
]

/** What a refresher takes for now when it is late, as the last one of a history is. */
export function atRest({ now }: Pick<World, 'now'>): number {
  return now + 3 * DAY_MS
}

/** A generator of numbers of its own for each actor of a history: what one decides moves no other. */
export function randomOf(seed: number, actor: number): Random {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(actor + 1, 0x85ebca6b))
  // The first numbers of neighbouring seeds are alike.
  for (let skipped = 0; skipped < 3; skipped += 1) random.below(2)
  return random
}

/** The source of the history of a seed. */
export function createWorld(seed: number, flavour: Flavour): World {
  const random = randomOf(seed, 0)
  const timeType = random.pick(['timestamptz', 'timestamptz', 'timestamp', 'timestamp', 'date'] as const)
  const [zone, local, instant] = random.pick(PLACES)
  const centre = Date.parse(timeType === 'timestamptz' ? instant : local)
  return {
    ...{ seed, flavour, schema: `h${seed}`, className: `History${seed}`, dataset: `history${seed}` },
    ...{ timeType, zone, centre, now: centre + 20 * DAY_MS, rows: random.pick([0, 20, 60, 150]) },
  }
}

function quoteTime({ timeType }: Pick<World, 'timeType'>, text: string): string {
  return `${timeType} '${text}'`
}

/** A moment of the wall clock, given as in UTC, as a literal of the time column's type. */
export function timeLiteral(world: Pick<World, 'timeType'>, wallClock: number): string {
  const text = new Date(wallClock).toISOString()
  if (world.timeType === 'date') return quoteTime(world, text.slice(0, 10))
  return quoteTime(world, world.timeType === 'timestamp' ? text.replace('Z', '') : text)
}

const UNUSABLE = ['infinity', '-infinity', '0001-01-01', '0044-03-15 BC', '9999-06-01'] as const

/** SQL of a time: mostly close to the centre, sometimes far away, sometimes one that has no bucket. */
export function randomTime(world: World, random: Random): string {
  const { centre, zone } = world
  const lot = random.below(100)
  if (lot < 4) return `NULL::${world.timeType}`
  if (lot < 8) return quoteTime(world, random.pick(UNUSABLE))
  // Node and Postgres agree on the clocks of the last decades; elsewhere only on those of UTC.
  if (lot < 10 && zone === 'UTC') return quoteTime(world, random.pick(['0003-05-05', '1890-07-01', '9998-03-01']))
  if (lot < 12) return timeLiteral(world, Date.UTC(random.pick([1985, 2060]), random.below(12), random.below(28), 5))
  const reach = lot < 70 ? DAY_MS : lot < 90 ? 20 * DAY_MS : 500 * DAY_MS
  const moved = centre + Math.floor((random.below(2001) / 1000 - 1) * reach)
  // As often as not exactly on a boundary.
  return timeLiteral(world, random.chance(0.3) ? Math.round(moved / HOUR_MS) * HOUR_MS : moved)
}

/** SQL of a value that moves a time by a while. */
export function randomMove({ timeType }: World, random: Random): string {
  if (timeType === 'date') return random.pick(['+ 1', '- 1', '+ 31', '- 7'])
  return random.pick(["+ interval '1 hour'", "- interval '30 minutes'", "+ interval '1 day'", "- interval '40 days'"])
}

/** SQL of row times, one for each `i` of a series, so that more than 1,000 buckets are touched. */
export function seriesTime(world: World, random: Random): string {
  const start = timeLiteral(world, world.centre - random.below(30) * DAY_MS)
  if (world.timeType === 'date') return `${start} + i::integer`
  return `${start} + i * interval '${random.pick([61, 67])} minutes'`
}

/** Bounds of the three partitions by range; one of them lies in the hour that some clocks skip. The rest go elsewhere. */
export function partitionBounds(world: World): readonly (readonly [from: string, to: string])[] {
  const cuts = [-2 * DAY_MS, HOUR_MS, 3 * DAY_MS].map((offset) => {
    const literal = timeLiteral(world, Math.floor((world.centre + offset) / HOUR_MS) * HOUR_MS)
    return literal.slice(literal.indexOf("'"))
  })
  const day = world.timeType === 'date' ? timeLiteral(world, world.centre + DAY_MS).slice(5) : (cuts[1] ?? '')
  const [first = '', , last = ''] = cuts
  return [
    ['MINVALUE', first],
    [first, day],
    [day, last],
  ]
}

/** The statements that create the source of a history and fill it. */
export function createSource(world: World, random: Random): string[] {
  const { schema, timeType, flavour } = world
  const key = flavour === 'partitions' ? '' : ' PRIMARY KEY'
  const columns = `id bigint${key}, at ${timeType}, kind integer, city text, flag boolean, level integer, n integer, price numeric, f double precision`
  const statements = [`CREATE SCHEMA ${schema}`]
  if (flavour === 'query') {
    statements.push(`CREATE TABLE ${schema}.d (id integer PRIMARY KEY, label text, note text)`)
    statements.push(`INSERT INTO ${schema}.d SELECT i, 'label ' || i % 3 FROM generate_series(1, 5) AS i`)
  }
  statements.push(`CREATE TABLE ${schema}.t (${columns})${flavour === 'partitions' ? ' PARTITION BY RANGE (at)' : ''}`)
  if (flavour === 'partitions') {
    partitionBounds(world).forEach(([from, to], index) => {
      statements.push(`CREATE TABLE ${schema}.p${index} PARTITION OF ${schema}.t FOR VALUES FROM (${from}) TO (${to})`)
    })
    statements.push(`CREATE TABLE ${schema}.rest PARTITION OF ${schema}.t DEFAULT`)
  }
  const times = Array.from({ length: 8 }, () => randomTime(world, random)).join(', ')
  const values = `(ARRAY[${times}])[i % 8 + 1]${timeType === 'date' ? '' : " + i % 7 * interval '13 minutes'"}`
  statements.push(
    `INSERT INTO ${schema}.t SELECT i, ${values}, ${valuesOf('i')} FROM generate_series(0, ${world.rows - 1}) AS i`,
  )
  return statements
}

/** SQL of a row's other columns, from the number of the row. */
export function valuesOf(number: string): string {
  return [
    `(${number} % 7)::integer`,
    `(ARRAY['Ávila', 'Lugo', '', NULL])[${number} % 4 + 1]`,
    `(ARRAY[true, false, NULL])[${number} % 3 + 1]`,
    `(${number} % 2)::integer`,
    `CASE WHEN ${number} % 11 > 0 THEN (${number} * 37 % 101 - 20)::integer END`,
    `CASE ${number} % 13 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN NULL ELSE ${number} * 1.07 - 30 END`,
    `CASE ${number} % 17 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN NULL ELSE (${number} % 97 - 40) * 0.1::double precision END`,
  ].join(', ')
}
