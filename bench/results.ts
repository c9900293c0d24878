import { AGGREGRAPH, BARE } from './contestants'
import type { MissTimes } from './miss-path'
import { canPin } from './processors'
import { CONNECTIONS, ratios, type Series } from './rounds'
import { median } from './sample'
import type { Verdict } from './verdict'

/** How long a contestant took for questions that nobody had asked it, in milliseconds. */
export interface Misses {
  readonly name: string
  readonly ms: readonly number[]
}

export interface Results {
  /** `2026-01-31` */
  readonly date: string
  readonly machine: readonly (readonly [string, string])[]
  readonly peers: readonly (readonly [string, string])[]
  /** Length of the answer. */
  readonly bytes: number
  readonly rounds: number
  readonly seconds: number
  readonly hot: readonly Series[]
  readonly renamed: readonly Series[]
  readonly fresh: readonly Series[]
  readonly misses: readonly Misses[]
  readonly missPath: MissTimes
  readonly verdicts: readonly Verdict[]
}

function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

const spread = (values: readonly number[], digits: number) =>
  `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`

function renderLoads(all: readonly Series[]): string {
  return renderTable(
    ['', 'requests/s', '× bare', 'rounds', `${AGGREGRAPH} ×`, 'µs of processor'],
    all.map(({ name, loads }) => {
      const ofBare = ratios(all, name, BARE)
      const cpu = loads.map(({ cpuMicroseconds }) => cpuMicroseconds).filter((value) => value !== null)
      return [
        name,
        Math.round(median(loads.map(({ perSecond }) => perSecond))).toLocaleString('en'),
        median(ofBare).toFixed(3),
        spread(ofBare, 2),
        median(ratios(all, AGGREGRAPH, name)).toFixed(2),
        cpu.length === 0 ? '' : median(cpu).toFixed(0),
      ]
    }),
  )
}

function renderMisses({ misses, missPath }: Results): string {
  const own = misses.find(({ name }) => name === AGGREGRAPH)?.ms ?? []
  return renderTable(
    ['', 'median ms', `${AGGREGRAPH} ×`],
    [
      ...misses.map(({ name, ms }) => [
        `${name}, over HTTP`,
        median(ms).toFixed(2),
        (median(ms) / median(own)).toFixed(2),
      ]),
      [`${AGGREGRAPH}, in one process`, median(missPath.asked).toFixed(2), ''],
      ['its SQL by pg, in the same process', median(missPath.sql).toFixed(2), ''],
    ],
  )
}

function renderVerdicts(verdicts: readonly Verdict[]): string {
  return renderTable(
    ['', 'median ratio', 'rounds', 'bar', ''],
    verdicts.map(({ what, ratio, lowest, highest, bar, isAtLeast, isMet }) => [
      what,
      ratio.toFixed(3),
      `${lowest.toFixed(2)} to ${highest.toFixed(2)}`,
      `${isAtLeast ? '≥' : '≤'} ${bar}`,
      isMet ? 'met' : 'MISSED',
    ]),
  )
}

/** How much of its processor the load took when it had the most to do. */
function renderGenerator(all: readonly Series[]): string {
  const busiest = Math.max(...all.flatMap(({ loads }) => loads.map(({ generatorShare }) => generatorShare)))
  return `${Math.round(100 * busiest)} %`
}

/** Writes the results as the page that `npm run bench` keeps. */
export function renderResults(results: Results): string {
  const { date, machine, peers, bytes, rounds, seconds, hot, renamed, fresh, verdicts } = results
  const list = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([name, value]) => `${name} ${value}`).join(' · ')
  return `# Side by side

Written by \`npm run bench\`; what each row means is in [README.md](README.md).

- ${date} · ${list(machine)}
- ${list(peers)}
- one question, an answer of ${bytes.toLocaleString('en')} bytes; ${CONNECTIONS} connections; ${rounds} rounds of ${seconds} s each; ${
    canPin
      ? 'the server under load on one processor; what sends requests, Postgres and Redis on the other'
      : 'server, load, Postgres and Redis share all processors, since they cannot be kept apart here'
  }
- sending requests took at most ${renderGenerator([...hot, ...renamed, ...fresh])} of a processor

## Bars

${renderVerdicts(verdicts)}

## The same operation, again and again

${renderLoads(hot)}

## Operations under new names

${renderLoads(renamed)}

## Operations never seen before, over rows at hand

${renderLoads(fresh)}

## Questions never asked before

${renderMisses(results)}
`
}
