import type { Definition } from '../dataset/definition'
import type { CaptureFacts } from '../storage/inspect-capture'
import type { SearchFacts, SourceFacts, WholeScan } from '../storage/inspect-source'
import { advice, type Finding, fault } from './finding'

/** Reading fewer rows than this takes no time worth an index. */
const SMALL_SOURCE = 10_000
/** More tables than this are not all named. */
const MOST_NAMED = 3

const OTHER_WAYS = 'or follow the source with updatedAt, lookback or "manual"'

function howToIndex({ table, column, isPartitioned }: WholeScan): string {
  if (column === null) return `create an index on the expression that it selects ${table} by`
  if (!isPartitioned) return `CREATE INDEX CONCURRENTLY ON ${table} (${column})`
  return `CREATE INDEX ON ${table} (${column}), after CREATE INDEX CONCURRENTLY on each of its partitions, which spares their writers`
}

function checkSearch(definition: Definition, rows: number, { scans, isLate }: SearchFacts, what: string): Finding[] {
  const { name, refresh } = definition
  // A manual refresh reads everything anyway.
  const say = refresh === 'manual' ? advice : fault
  const who = refresh === 'manual' ? 'a refresh of a range would read' : 'every refresh reads'
  const size = `about ${Math.round(rows).toLocaleString('en')} rows`
  const unindexed = scans.map((scan) =>
    say(name, `${who} all of ${scan.table} (${size}) for want of an index on ${what}: ${howToIndex(scan)}.`),
  )
  if (!isLate) return unindexed
  return [
    ...unindexed,
    advice(
      name,
      `${who} all of its source (${size}): Postgres makes its rows before it can select them by ${what}. Leave aggregates, windows, DISTINCT and LIMIT out of the source's SQL, or keep its result in a table.`,
    ),
  ]
}

/** Says which indexes the refreshes of a dataset want. */
export function checkSource(definition: Definition, { rows, byTime, byUpdate }: SourceFacts): Finding[] {
  if (rows < SMALL_SOURCE) return []
  return [
    ...checkSearch(definition, rows, byTime, `its time, ${definition.timeColumn}`),
    ...(byUpdate === null ? [] : checkSearch(definition, rows, byUpdate, 'refresh.updatedAt')),
  ]
}

function nameTables(facts: readonly CaptureFacts[]): string {
  const named = facts.slice(0, MOST_NAMED).map(({ table }) => table)
  const rest = facts.length - named.length
  return [...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

/** Says what keeps the triggers of a dataset from capturing every change of its source. */
export function checkCapture({ name }: Definition, facts: readonly CaptureFacts[], user: string): Finding[] {
  const forbidden = facts.filter(({ isForbidden }) => isForbidden)
  const dropped = facts.filter(({ isDropped, isForbidden }) => isDropped && !isForbidden)
  const foreign = facts.filter(({ isForeign }) => isForeign)
  const subscribed = facts.filter(({ isSubscribed }) => isSubscribed)
  const findings: Finding[] = []
  if (forbidden.length > 0) {
    findings.push(
      fault(
        name,
        `"${user}" may not create the triggers of capture: "trigger" on ${nameTables(forbidden)}: GRANT TRIGGER ON ${forbidden.map(({ table }) => table).join(', ')} TO "${user}", ${OTHER_WAYS}.`,
      ),
    )
  }
  for (const { table, disabled } of facts.filter((one) => one.disabled.length > 0)) {
    const enable = disabled.map((trigger) => `ENABLE TRIGGER ${trigger}`).join(', ')
    findings.push(
      fault(name, `triggers on ${table} are disabled, so that changes are missed: ALTER TABLE ${table} ${enable}.`),
    )
  }
  if (dropped.length > 0) {
    findings.push(
      fault(
        name,
        `triggers on ${nameTables(dropped)} were dropped, so that changes are missed: the next refresh, "aggregraph refresh ${name}", creates them and computes anew what they may have missed.`,
      ),
    )
  }
  if (subscribed.length > 0) {
    findings.push(
      fault(
        name,
        `a subscription writes to ${nameTables(subscribed)}, and logical replication fires no statement trigger, so that its changes are missed: follow the source with updatedAt, lookback or "manual".`,
      ),
    )
  }
  if (foreign.length > 0) {
    findings.push(
      advice(
        name,
        `no trigger sees the changes of foreign tables, ${nameTables(foreign)}, so that the dataset is not exact: run "aggregraph refresh ${name} --full" after they changed, or follow the source with updatedAt, lookback or "manual".`,
      ),
    )
  }
  return findings
}
