import { parseArgs } from 'node:util'
import { randomOf } from '../history/world'
import { findRedisServer } from '../redis-server'
import { openCluster } from './cluster'
import { combine, type Fault } from './fault'
import { FAULTS } from './faults'
import { type RoundReport, runRound } from './run-round'

/** `npm run torture -- --minutes 15 --seed 1 [--faults text]`: the checker against random faults, until the time is over. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '15' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      faults: { type: 'string', default: '' },
    },
  })
  const minutes = Number(values.minutes)
  const seed = Number(values.seed)
  const faults = FAULTS.filter(({ name }) => name.includes(values.faults))
  if (!(minutes > 0) || !Number.isInteger(seed) || faults.length === 0) throw new Error('Usage: --minutes N --seed S')
  process.env.AGGREGRAPH_TEST_REDIS_SERVER = await findRedisServer()
  print(`torture: ${minutes} minutes, seed ${seed}`)
  const reports = await torture(faults, seed, minutes)
  print(summarize(reports))
  process.exitCode = reports.every(({ anomalies }) => anomalies.length === 0) ? 0 : 1
}

async function torture(faults: readonly Fault[], seed: number, minutes: number): Promise<RoundReport[]> {
  const random = randomOf(seed, 80)
  // Delays are drawn as often as there are pieces: from numbers of their own, so that a seed always means the same faults.
  const delays = randomOf(seed, 81)
  const cluster = await openCluster({ random: () => delays.below(1e6) / 1e6 })
  const reports: RoundReport[] = []
  const end = performance.now() + minutes * 60_000
  try {
    for (let round = 0; performance.now() < end; round += 1) {
      cluster.pauseMs = random.pick([200, 800, 2_000, 3_000])
      // Every fault once, and then whatever comes, by itself or with another one.
      const first = faults[round] ?? random.pick(faults)
      const others = faults.filter(({ touches }) => touches.every((each) => !first.touches.includes(each)))
      const fault =
        round >= faults.length && others.length > 0 && random.chance(0.5) ? combine(first, random.pick(others)) : first
      const report = await runRound(cluster, fault, { seed: seed + round }).catch((error: unknown) => {
        throw new Error(`"${fault.name}" (seed ${seed}) could not be ended`, { cause: error })
      })
      reports.push(report)
      print(lineOf(report))
      for (const { kind, text } of report.anomalies) print(`${kind} in "${report.fault}" (seed ${seed}): ${text}`)
    }
  } finally {
    await cluster.close()
  }
  return reports
}

/** What is printed of a round, beside its fault and its reads. `failed` holds all that should not be, and is not named here. */
const COLUMNS: readonly (readonly [name: string, read: (report: RoundReport) => number])[] = [
  ['stale', ({ counts }) => counts.stale],
  ['inversions', ({ counts }) => counts.inversion],
  ['mixed', ({ counts }) => counts.mixed],
  ['failed', ({ counts }) => counts.failed + counts.cut + counts.marked + counts.future],
  ['marked', ({ marked }) => marked],
  ['refused', ({ refused }) => refused],
  ['304', ({ notModified }) => notModified],
  ['refreshes', ({ commits }) => commits],
  ['loads', ({ loads }) => loads],
  ['of closed days', ({ closedLoads }) => closedLoads],
]

function lineOf(report: RoundReport): string {
  const cells = COLUMNS.map(([name, read]) => `${name} ${read(report)}`)
  const lag = (report.worstLag / 1_000).toFixed(0)
  return `${report.seconds.toFixed(1).padStart(5)} s  ${String(report.answers).padStart(7)} reads  ${report.fault}: ${cells.join(', ')}, worst lag ${lag} ms`
}

/** A table in Markdown: each fault with what came of it in all of its rounds. */
function summarize(reports: readonly RoundReport[]): string {
  const names = [...new Set(reports.map(({ fault }) => fault))]
  const rows = names.map((name) =>
    rowOf(
      name,
      reports.filter(({ fault }) => fault === name),
    ),
  )
  const head = ['fault', 'rounds', 'reads', ...COLUMNS.map(([name]) => name), 'worst lag, ms']
  return [head, head.map(() => '---'), ...rows, rowOf('all', reports)].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function rowOf(name: string, reports: readonly RoundReport[]): (string | number)[] {
  const sum = (read: (report: RoundReport) => number) => reports.reduce((total, report) => total + read(report), 0)
  const worst = Math.max(0, ...reports.map(({ worstLag }) => worstLag))
  const cells = COLUMNS.map(([, read]) => sum(read))
  return [name, reports.length, sum(({ answers }) => answers), ...cells, (worst / 1_000).toFixed(0)]
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

void main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
