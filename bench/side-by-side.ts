import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installPeers, startBenchServices } from './bench-services'
import { type Contestant, startContestant } from './contestant'
import { AGGREGRAPH, BARE, ENTRANTS, isPeer, MERCURIUS, PLAIN_APOLLO, type Row, readPeerVersions } from './contestants'
import { askInTurn } from './load'
import { describeMachine } from './machine'
import type { MissTimes } from './miss-path'
import { onProcessor, pinLoad, SERVER_PROCESSOR } from './processors'
import { createNewOperations, createRenamedOperations, createUnaskedRanges, MARCH, renderRequest } from './question'
import { type Misses, renderResults } from './results'
import { bestPeer, ratios, runRounds } from './rounds'
import { checkAnswers } from './same-answer'
import { median } from './sample'
import { judge, type Verdict } from './verdict'

/** Misses in one turn of a contestant. */
const MISSES_PER_TURN = 40
const MISS_BLOCKS = 5

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '2' } },
})
const rounds = Number(flags.rounds)
const seconds = Number(flags.seconds)
const tell = (line: string) => process.stderr.write(`${line}\n`)

/** Asks contestants in turns for what nobody has asked them, one question after another, and gives the milliseconds. */
async function askUnasked(contestants: readonly Contestant[]): Promise<readonly Misses[]> {
  const turns = contestants.map(({ name, port, shape }) => ({
    name,
    port,
    shape,
    next: createUnaskedRanges(),
    ms: [] as number[],
  }))
  for (let round = 0; round <= rounds; round += 1) {
    for (const { port, shape, next, ms } of turns) {
      const ranges = Array.from({ length: MISSES_PER_TURN }, next)
      const answers = await askInTurn(
        port,
        ranges.map((range) => renderRequest(shape, range)),
      )
      // The first turn warms up.
      if (round > 0) ms.push(...answers.map((answer) => answer.ms))
    }
  }
  return turns
}

/** Times misses and their SQL in one process, beside the servers. */
function timeMissPath(shared: Readonly<Record<string, string>>): MissTimes {
  const [command = '', ...args] = onProcessor(SERVER_PROCESSOR, [process.execPath, join(__dirname, 'miss-path.js')])
  return JSON.parse(execFileSync(command, args, { env: { ...process.env, ...shared }, encoding: 'utf8' }))
}

/** Ratios of medians, block by block. */
function missRatios({ asked, sql }: MissTimes): readonly number[] {
  const size = Math.floor(asked.length / MISS_BLOCKS)
  return Array.from({ length: MISS_BLOCKS }, (_, block) => {
    const part = (values: readonly number[]) => median(values.slice(block * size, (block + 1) * size))
    return part(asked) / part(sql)
  })
}

/** Starts everybody, the bare server last: it is given Aggregraph's answer. */
async function startAll(shared: Readonly<Record<string, string>>, started: Contestant[]): Promise<void> {
  for (const entrant of ENTRANTS.filter(({ name }) => name !== BARE))
    started.push(await startContestant(entrant, shared))
  const bare = ENTRANTS.find(({ name }) => name === BARE)
  const aggregraph = started.find(({ name }) => name === AGGREGRAPH)
  if (bare === undefined || aggregraph === undefined) throw new Error('There is nothing to compare')
  const [answer] = await askInTurn(aggregraph.port, [renderRequest(aggregraph.shape, MARCH)])
  started.push(await startContestant(bare, { ...shared, ANSWER: answer?.body.trim() ?? '' }))
}

async function measure(contestants: readonly Contestant[], shared: Readonly<Record<string, string>>) {
  const inRow = (row: Row) =>
    ENTRANTS.filter(({ rows }) => rows.includes(row)).flatMap(({ name }) =>
      contestants.filter((contestant) => contestant.name === name),
    )
  const hot = await runRounds({
    contestants: inRow('hot'),
    rounds,
    seconds,
    createNext: ({ shape }) => {
      const request = renderRequest(shape, MARCH)
      return () => request
    },
    onRound: (round) => tell(`the same operation: round ${round}`),
  })
  const renamed = await runRounds({
    contestants: inRow('new'),
    rounds,
    seconds,
    createNext: () => createRenamedOperations(),
    onRound: (round) => tell(`operations under new names: round ${round}`),
  })
  const fresh = await runRounds({
    contestants: inRow('new'),
    rounds,
    seconds,
    createNext: () => createNewOperations(),
    onRound: (round) => tell(`operations never seen before: round ${round}`),
  })
  return { hot, renamed, fresh, misses: await askUnasked(inRow('miss')), missPath: timeMissPath(shared) }
}

function judgeAll({ hot, renamed, fresh, missPath }: Awaited<ReturnType<typeof measure>>): readonly Verdict[] {
  const peer = bestPeer(hot, isPeer)
  return [
    judge(`the same operation: ${AGGREGRAPH} / ${BARE}`, ratios(hot, AGGREGRAPH, BARE), { atLeast: 0.85 }),
    judge(`the same operation: ${AGGREGRAPH} / ${peer}`, ratios(hot, AGGREGRAPH, peer), { atLeast: 2 }),
    judge(`new names: ${AGGREGRAPH} / ${MERCURIUS}`, ratios(renamed, AGGREGRAPH, MERCURIUS), { atLeast: 0.6 }),
    judge(`new names: ${AGGREGRAPH} / ${PLAIN_APOLLO}`, ratios(renamed, AGGREGRAPH, PLAIN_APOLLO), { atLeast: 2 }),
    judge(`new operations: ${AGGREGRAPH} / ${MERCURIUS}`, ratios(fresh, AGGREGRAPH, MERCURIUS), { atLeast: 0.6 }),
    judge(`new operations: ${AGGREGRAPH} / ${PLAIN_APOLLO}`, ratios(fresh, AGGREGRAPH, PLAIN_APOLLO), { atLeast: 2 }),
    judge(`a miss: ${AGGREGRAPH} / the same SQL by pg`, missRatios(missPath), { atMost: 1.5 }),
  ]
}

async function main(): Promise<void> {
  pinLoad()
  installPeers()
  const services = await startBenchServices()
  const contestants: Contestant[] = []
  try {
    const shared = { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl, ROLLUP: services.rollup }
    await startAll(shared, contestants)
    const bytes = await checkAnswers(contestants)
    tell(`Everybody answers the same; ${rounds} rounds of ${seconds} s each`)
    const figures = await measure(contestants, shared)
    const verdicts = judgeAll(figures)
    const results = renderResults({
      date: new Date().toISOString().slice(0, 10),
      machine: [...describeMachine(), ...services.versions],
      peers: readPeerVersions(),
      bytes,
      rounds,
      seconds,
      ...figures,
      verdicts,
    })
    process.stdout.write(results)
    writeFileSync(join(__dirname, '../../../bench/RESULTS.md'), results)
    if (verdicts.some(({ isMet }) => !isMet)) process.exitCode = 1
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()))
    await services.stop()
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
