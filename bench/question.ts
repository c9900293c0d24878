/** A half-open range of time, as GraphQL and SQL both read it. */
export interface Range {
  readonly from: string
  readonly to: string
}

/** How a server is asked: as Aggregraph is, as PostGraphile names things, or by a route of its own. */
export type Shape = 'graphql' | 'postgraphile' | 'route'

/** The month whose days everybody is asked for: an answer of 2.6 kB. */
export const MARCH: Range = { from: '2001-03-01', to: '2001-04-01' }

const FIELDS =
  'flights(range: { between: { from: $from, to: $to } }) { series(granularity: DAY) { date measures { flights averageDelay } } }'
const DOCUMENTS = {
  graphql: `query Days($from: DateOrDateTime!, $to: DateOrDateTime!) { ${FIELDS} }`,
  postgraphile:
    'query Days($from: Datetime!, $to: Datetime!) { flightsSeries(starts: $from, ends: $to) { nodes { date flights averageDelay } } }',
}
const DIGITS = 9

function renderPost(query: string, variables: object): Buffer {
  const body = JSON.stringify({ query, variables })
  return Buffer.from(
    [
      'POST /graphql HTTP/1.1',
      'host: 127.0.0.1',
      'content-type: application/json',
      'accept: application/graphql-response+json, application/json;q=0.9',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}

/** The bytes of a request for the days of a range. */
export function renderRequest(shape: Shape, range: Range): Buffer {
  if (shape !== 'route') return renderPost(DOCUMENTS[shape], range)
  const search = new URLSearchParams({ ...range })
  return Buffer.from(`GET /flights/series?${search} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n\r\n`)
}

const BLANK = '#'.repeat(DIGITS)

/** Gives a request over and over, each time with the next number in its blanks. */
function createNumbered(template: Buffer, first: number): () => Buffer {
  const places: number[] = []
  for (let place = template.indexOf(BLANK); place >= 0; place = template.indexOf(BLANK, place + DIGITS))
    places.push(place)
  let number = first
  return () => {
    const digits = String(number).padStart(DIGITS, '0')
    number += 1
    const request = Buffer.from(template)
    for (const place of places) request.write(digits, place, 'latin1')
    return request
  }
}

/**
 * Gives requests for the days of {@link MARCH} whose documents nobody has seen, but for the names: each names its operation
 * and its field by the next number, from the given one on.
 */
export function createRenamedOperations(first = 0): () => Buffer {
  const query = `query Days${BLANK}($from: DateOrDateTime!, $to: DateOrDateTime!) { days${BLANK}: ${FIELDS} }`
  return createNumbered(renderPost(query, MARCH), first)
}

/** Ways of asking for a field that all mean the same. */
const WAYS: readonly ((field: string, below: string) => string)[] = [
  (field, below) => `${field} ${below}`,
  (field, below) => `${field} @include(if: true) ${below}`,
  (field, below) => `${field} @skip(if: false) ${below}`,
  (field, below) => `... { ${field} ${below} }`,
  (field, below) => `... @include(if: true) { ${field} ${below} }`,
  (field, below) => `... @skip(if: false) { ${field} ${below} }`,
]
/** Operations of {@link createNewOperations}: each of six fields is asked for in one of the ways. */
export const NEW_OPERATIONS = WAYS.length ** 6

/**
 * Gives requests for the days of {@link MARCH} of which no two select in the same way, so that no cache of answers or documents
 * knows them in any words. They begin with the given number, and again after the last.
 */
export function createNewOperations(first = 0): () => Buffer {
  let number = first
  return () => {
    let digits = number % NEW_OPERATIONS
    number += 1
    const ask = (field: string, below = '') => {
      const way = WAYS[digits % WAYS.length]
      digits = Math.floor(digits / WAYS.length)
      return way === undefined ? '' : way(field, below)
    }
    const measures = ask('measures', `{ ${ask('flights')} ${ask('averageDelay')} }`)
    const series = ask('series(granularity: DAY)', `{ ${ask('date')} ${measures} }`)
    const report = ask('flights(range: { between: { from: $from, to: $to } })', `{ ${series} }`)
    return renderPost(`query Days($from: DateOrDateTime!, $to: DateOrDateTime!) { ${report} }`, MARCH)
  }
}

const HOUR_MS = 3_600_000
const FIRST = Date.UTC(2001, 0, 1)
/** Hours at which a range of 31 days can begin. */
const STARTS = 150 * 24
const LENGTHS = [31, 30, 29, 28, 27, 26, 25]
/** Has no divisor in common with STARTS, so that neighbours are days apart and none comes twice. */
const STRIDE = 1_361

/** Gives ranges of about a month that begin at any hour, each once, from the given number of them on. */
export function createUnaskedRanges(first = 0): () => Range {
  let number = first
  return () => {
    const days = LENGTHS[Math.floor(number / STARTS)]
    if (days === undefined) throw new RangeError('There are no more ranges that nobody has asked for')
    const from = FIRST + ((number * STRIDE) % STARTS) * HOUR_MS
    number += 1
    return { from: new Date(from).toISOString(), to: new Date(from + days * 24 * HOUR_MS).toISOString() }
  }
}
