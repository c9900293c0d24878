import type { Command } from 'commander'
import type { Logger } from 'pino'
import type { Config } from '../config'
import type { Declaration } from '../dataset/declaration'
import { ConfigurationError } from '../errors'
import { loadDeclarations } from '../services'
import { checkDatasets, findingsOf } from './check-datasets'
import { checkPostgres } from './check-postgres'
import { checkRedis } from './check-redis'
import { describeFailure } from './failure'
import { advice, type Finding, fault, ok } from './finding'
import { ALL_SETTINGS, addSettings, readSettings } from './setting-options'
import type { Shell } from './shell'
import { withDatabase } from './with-database'
import { createCommandLogger, withServices } from './with-services'

/** The settings, or what is wrong with them. */
function checkSettings(read: () => Config): { config: Config | null; findings: Finding[] } {
  try {
    const config = read()
    const findings = config.warnings.map((warning) => advice('Settings', warning))
    return { config, findings: [ok('Settings', 'every value is one that it may have.'), ...findings] }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { config: null, findings: error.faults.map(({ subject, sentence }) => fault(subject, sentence)) }
  }
}

function loadClasses(config: Config): { declarations: readonly Declaration[]; findings: readonly Finding[] } {
  try {
    return { declarations: loadDeclarations(config), findings: [] }
  } catch (error) {
    return { declarations: [], findings: findingsOf(error) }
  }
}

/** Checks what is in the database. What keeps it from being asked is the one fault. */
async function checkDatabase(config: Config, logger: Logger): Promise<readonly Finding[]> {
  const { declarations, findings } = loadClasses(config)
  try {
    return await withDatabase(config, logger, (url) =>
      withServices({ ...config, redisUrl: null }, url, logger, async ({ dataSource }) => [
        ...(await checkPostgres(dataSource, config)),
        ...findings,
        ...(await checkDatasets(dataSource, declarations, config)),
      ]),
    )
  } catch (error) {
    return [fault('Postgres', describeFailure(error, false)), ...findings]
  }
}

const MARKS = { ok: 'ok    ', advice: 'advice', fault: 'FAULT ' } as const

export function addDoctorCommand(program: Command, shell: Shell): void {
  const command = program
    .command('doctor')
    .summary('check settings, Postgres, Redis and datasets')
    .description(
      'Checks the settings, Postgres, Redis, the datasets, the indexes that their refreshes want of the sources and the ' +
        'triggers that capture changes there, and says what to do about each fault. Changes nothing but one key of its ' +
        'own in Redis, which it removes. Exits with 1 when there is a fault.',
    )
  addSettings(command, ALL_SETTINGS).action(async () => {
    const show = (findings: readonly Finding[]) => {
      for (const { kind, subject, sentence } of findings) {
        shell.stdout.write(`${MARKS[kind]}  ${subject}: ${sentence}\n`)
      }
      return findings.filter(({ kind }) => kind === 'fault').length
    }
    const { config, findings } = checkSettings(() => readSettings(command, shell.env))
    let faults = show(findings)
    if (config !== null) {
      faults += show(await checkDatabase(config, createCommandLogger(config)))
      faults += show(
        config.redisUrl === null
          ? [advice('Redis', 'REDIS_URL is not set: every process has a cache of its own, in its memory.')]
          : await checkRedis(config.redisUrl),
      )
    }
    if (faults > 0) throw new Error(`${faults} fault(s) found.`)
  })
}
