import type { Client } from 'pg'

/** Statements that make one table aside, under a name that nobody reads, and fill it. */
export interface DemoTable {
  readonly create: string
  readonly copy: string
}

export const AIRPORTS_TABLE: DemoTable = {
  create: `CREATE TABLE public.airports_loading (
    iata text NOT NULL, name text NOT NULL, city text, state text, country text NOT NULL,
    latitude double precision NOT NULL, longitude double precision NOT NULL)`,
  copy: 'COPY public.airports_loading FROM STDIN (FREEZE)',
}

export const FLIGHTS_TABLE: DemoTable = {
  create: `CREATE TABLE public.flights_loading (
    departed_at timestamptz NOT NULL, delay integer NOT NULL, distance integer NOT NULL,
    origin text NOT NULL, destination text NOT NULL)`,
  copy: 'COPY public.flights_loading FROM STDIN (FREEZE)',
}

/** The comment on both tables: says that they are the demo's, and how many flights there are. */
const MARK = 'Aggregraph demo, flights: '

/** How many flights an earlier load left; null when there was none. */
export async function readLoadedRows(client: Client): Promise<number | null> {
  const comment = (await readComments(client)).get('flights')
  return comment?.startsWith(MARK) ? Number(comment.slice(MARK.length)) : null
}

/** Throws when a table of the same name was not made here: it is somebody's data. */
export async function refuseForeignTables(client: Client): Promise<void> {
  for (const [table, comment] of await readComments(client)) {
    if (!comment?.startsWith(MARK)) {
      throw new Error(
        `The database already has a table "${table}" that is not the demo's: give the demo a database of its own.`,
      )
    }
  }
}

/** Completes the filled tables and puts them in the place of the old ones. */
export async function swapIn(client: Client, rows: number): Promise<void> {
  await client.query(`
    DROP TABLE IF EXISTS public.flights, public.airports;
    ALTER TABLE public.airports_loading RENAME TO airports;
    ALTER TABLE public.flights_loading RENAME TO flights;
    ALTER TABLE public.airports ADD PRIMARY KEY (iata);
    CREATE INDEX flights_departed_at ON public.flights (departed_at);
    COMMENT ON TABLE public.flights IS '${MARK}${rows}';
    COMMENT ON TABLE public.airports IS '${MARK}${rows}';
    ANALYZE public.airports, public.flights`)
}

async function readComments(client: Client): Promise<ReadonlyMap<string, string | null>> {
  const { rows } = await client.query<{ name: string; comment: string | null }>(
    `SELECT relname AS name, obj_description(oid, 'pg_class') AS comment
     FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN ('airports', 'flights')`,
  )
  return new Map(rows.map(({ name, comment }) => [name, comment]))
}
