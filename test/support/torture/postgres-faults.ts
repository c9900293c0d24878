import { combine, createFault, type Fault, waitBetween } from './fault'
import { redisKilled } from './redis-faults'

const backendsTerminated = createFault(
  'Postgres ends its connections',
  ['postgres'],
  async (cluster, random) => {
    for (let round = 0; round < 10; round += 1) {
      await cluster.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
      await waitBetween(random, 100, 800)
    }
  },
  { isPostgresAway: true },
)

const postgresKilled = createFault(
  'Postgres killed, and back',
  ['postgres'],
  async (cluster, random) => {
    await cluster.killPostgres()
    await waitBetween(random, 1_000, 2_500)
    await cluster.startPostgres()
    await waitBetween(random, 1_000, 2_000)
  },
  { isPostgresAway: true },
)

/** What happens to Postgres, and to both. */
export const POSTGRES_FAULTS: readonly Fault[] = [
  backendsTerminated,
  postgresKilled,
  combine(redisKilled, postgresKilled),
]
