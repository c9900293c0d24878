import { registerKey } from '../../src/cache/question'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { VersionRegister } from '../../src/cache/version-register'
import { ALWAYS, type Stretch } from '../../src/time/stretch'
import { createEventLog, type EventLog } from './event-log'
import type { FakeDatabase } from './fake-database'
import { nameOf, versionOf } from './versions'

export const GROUP = 'flights'
export const TOPIC = 'layout'

/** What one process has of the register. */
export interface RegisterProcess {
  readonly log: EventLog
  readonly redis: RedisClient
  readonly register: VersionRegister<string>
  /** The version that this process sees now, as text. */
  see(): Promise<string>
  /** The same, of Postgres whatever the register says. */
  settle(): Promise<string>
  /** Does a whole refresh, with the publish lock as refreshers hold it. */
  refresh(seq: number, name?: string, changed?: readonly Stretch[]): Promise<void>
  /** The fields of the register as they are. */
  fields(): Promise<Record<string, string>>
}

export interface RegisterProcessOptions {
  readonly retryMs?: number
  readonly silenceMs?: number
  readonly clock?: () => number
}

/** Starts processes around one database and one Redis; `stop` ends their connections. */
export function createProcesses(database: () => FakeDatabase, url: () => string) {
  const clients: RedisClient[] = []
  return {
    async start({
      retryMs,
      silenceMs,
      clock = () => performance.now(),
    }: RegisterProcessOptions = {}): Promise<RegisterProcess> {
      const log = createEventLog()
      const redis = createRedisClient(url(), log.listen)
      clients.push(redis)
      await redis.connect()
      const rows = database()
      const { readStates, guardStates } = rows
      const register = new VersionRegister<string>({
        redis,
        readStates,
        guardStates,
        clock,
        onEvent: log.listen,
        retryMs,
        silenceMs,
      })
      log.take()
      const check = ({ version, data }: Awaited<ReturnType<typeof register.current>>) => {
        expect(data).toBe(`data of ${nameOf(version)}`)
        return nameOf(version)
      }
      return {
        log,
        redis,
        register,
        see: async () => check(await register.current(GROUP, TOPIC)),
        settle: async () => check(await register.settle(GROUP, TOPIC)),
        refresh: async (seq, name, changed = [ALWAYS]) => {
          const unlock = await rows.lockForPublishing(TOPIC)
          await register.prepare(GROUP, TOPIC, versionOf(seq, name), changed)
          const state = rows.commit(TOPIC, seq, name, changed)
          unlock()
          await register.publish(GROUP, TOPIC, state)
        },
        fields: () => redis.run('test', (connection) => connection.hgetall(registerKey(GROUP, TOPIC))),
      }
    },
    async stop(): Promise<void> {
      await Promise.all(clients.splice(0).map((client) => client.close()))
    },
  }
}
