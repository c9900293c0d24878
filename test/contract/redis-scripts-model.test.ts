import fc from 'fast-check'
import type { Redis as Connection } from 'ioredis'
import { createRedisClient, type RedisClient } from '../../src/cache/redis-client'
import { parseVersion } from '../../src/cache/version'
import { type Redis, startRedis } from '../support/redis'

const REGISTER = 'test:{t}:register'
const ENTRY = 'test:{t}:entry'
const LEASE = 'test:{t}:lease'
const CHANNEL = 'test'
const MS = 60_000
let server: Redis
let client: RedisClient

beforeAll(async () => {
  server = await startRedis()
  client = createRedisClient(server.url, () => {}, { deadlineMs: 2_000 })
  await client.connect()
})

afterAll(async () => {
  await client.close()
  await server.kill()
})

type Fields = Record<string, string>

/** What the scripts do, in plain words. A key of a foreign type counts for nothing, and text that is no version has no number. */
class Model {
  register: Fields = {}
  entry: Fields = {}
  lease: string | null = null

  prepare(version: string, stretches: string): void {
    const held = seqOf(this.register.v)
    if (held !== null && held !== (seqOf(version) ?? 0) - 1) {
      const { pend, pst } = this.register
      this.register = { ...(pend === undefined ? {} : { pend }), ...(pst === undefined ? {} : { pst }) }
    }
    this.register = { ...this.register, pend: version, pst: stretches }
  }

  advance(version: string, disowned: string, settled: string, published: string): number {
    const held = seqOf(this.register.v)
    const seq = seqOf(version) ?? 0
    const { v, pend } = this.register
    const isNewer = held === null || held < seq || v === version || v === disowned
    const mayPublish = pend === undefined ? held !== null : pend === settled
    const isSet = isNewer && (published === '' || mayPublish)
    if (isSet) this.register = { ...this.register, v: version, cur: `state of ${version}`, sum: 'sum', ep: 'epoch' }
    if (settled !== '' && this.register.pend === settled) {
      const { pend: _, pst: __, ...rest } = this.register
      this.register = rest
    }
    return isSet ? 1 : 0
  }

  read(since: number, token: string): readonly string[] {
    const { v = '', b = '' } = this.entry
    const seq = seqOf(v)
    if (seq !== null && seq >= since) return [v, b, 'left']
    if (token === '') return [v]
    if (this.lease === null || this.lease === token) {
      this.lease = token
      return [v, 'won']
    }
    return [v, this.lease === 'failed' ? 'failed' : 'lost']
  }

  fill(version: string, replaced: string, token: string): number {
    const held = seqOf(this.entry.v)
    const isKept = held === null || held <= (seqOf(version) ?? 0) || this.entry.v === replaced
    if (isKept) this.entry = { v: version, b: `body of ${version}`, g: '10' }
    if (isKept || this.lease === token) this.lease = null
    return isKept ? 1 : 0
  }

  end(token: string, isFailed: boolean): number {
    if (this.lease !== token) return 0
    this.lease = isFailed ? 'failed' : null
    return 1
  }

  take(token: string): number {
    if (this.lease !== null) return 0
    this.lease = token
    return 1
  }
}

function seqOf(version: string | undefined): number | null {
  return parseVersion(version ?? '')?.seq ?? null
}

const version = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom('a', 'b'))
  .map(([seq, name]) => `${seq}.${name}`)
const maybe = fc.oneof(version, fc.constant(''))
const token = fc.constantFrom('mine', 'yours')
const garbage = fc.constantFrom(
  '',
  '99.',
  '099.a',
  '9.a b',
  '4.ä',
  '9007199254740993.a',
  '99999999999999999999.a',
  'two',
  '7.a',
)

type Step = readonly [string, (model: Model, redis: Connection) => Promise<void>]

/** Does the same to both, and compares what they say. */
function both(name: string, act: (redis: Connection) => Promise<unknown>, expected: (model: Model) => unknown): Step {
  return [
    name,
    async (model, redis) => {
      expect(await act(redis)).toEqual(expected(model))
    },
  ]
}

/** Puts a key of a foreign type there. */
function spoil(key: string, forget: (model: Model) => void): Step {
  return [
    `spoil ${key}`,
    async (model, redis) => {
      await redis.del(key)
      await redis.rpush(key, 'x')
      forget(model)
    },
  ]
}

const seq = (text: string) => seqOf(text) ?? 0
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(version, fc.constantFrom('[]', '[[0,1]]')).map(([v, stretches]) =>
    both(
      `prepare ${v}`,
      (redis) => redis.prepareRegister(REGISTER, v, seq(v), stretches, MS),
      (model) => {
        model.prepare(v, stretches)
        return 1
      },
    ),
  ),
  fc.tuple(version, maybe, maybe, fc.constantFrom('', 'published')).map(([v, disowned, settled, published]) =>
    both(
      `advance ${v}, disowned ${disowned}, settled ${settled}, ${published}`,
      (redis) =>
        redis.advanceRegister(
          REGISTER,
          v,
          seq(v),
          `state of ${v}`,
          'sum',
          'epoch',
          disowned,
          settled,
          published,
          MS,
          CHANNEL,
          'x',
        ),
      (model) => model.advance(v, disowned, settled, published),
    ),
  ),
  fc.tuple(fc.nat(7), fc.oneof(token, fc.constant(''))).map(([since, mine]) =>
    both(
      `read since ${since} for ${mine}`,
      async (redis) => {
        const reply = await redis.readEntryBuffer(ENTRY, LEASE, since, mine, MS)
        return reply.map((part) => (typeof part === 'number' ? 'left' : part.toString()))
      },
      (model) => model.read(since, mine),
    ),
  ),
  fc.tuple(version, maybe, token).map(([v, replaced, mine]) =>
    both(
      `fill ${v} for ${replaced} by ${mine}`,
      (redis) => redis.fillEntry(ENTRY, LEASE, v, seq(v), Buffer.from(`body of ${v}`), MS, 10, replaced, mine, CHANNEL),
      (model) => model.fill(v, replaced, mine),
    ),
  ),
  fc.tuple(token, fc.boolean()).map(([mine, isFailed]) =>
    both(
      `end ${mine}, failed: ${isFailed}`,
      (redis) => redis.endLease(LEASE, mine, isFailed ? MS : 0, CHANNEL, ENTRY),
      (model) => model.end(mine, isFailed),
    ),
  ),
  token.map((mine) =>
    both(
      `take ${mine}`,
      (redis) => redis.takeLease(LEASE, mine, MS),
      (model) => model.take(mine),
    ),
  ),
  fc.tuple(fc.constantFrom('v', 'pend', 'pst', 'cur'), garbage).map(
    ([field, text]): Step => [
      `register ${field} = ${text}`,
      async (model, redis) => {
        if ((await redis.type(REGISTER)) !== 'hash') await redis.del(REGISTER)
        await redis.hset(REGISTER, field, text)
        model.register = { ...model.register, [field]: text }
      },
    ],
  ),
  garbage.map(
    (text): Step => [
      `entry v = ${text}`,
      async (model, redis) => {
        if ((await redis.type(ENTRY)) !== 'hash') await redis.del(ENTRY)
        await redis.hset(ENTRY, 'v', text)
        model.entry = { ...model.entry, v: text }
      },
    ],
  ),
  fc.constant(
    spoil(REGISTER, (model) => {
      model.register = {}
    }),
  ),
  fc.constant(
    spoil(ENTRY, (model) => {
      model.entry = {}
    }),
  ),
  fc.constant(
    spoil(LEASE, (model) => {
      model.lease = null
    }),
  ),
)

async function fieldsOf(redis: Connection, key: string): Promise<Fields> {
  return (await redis.type(key)) === 'hash' ? redis.hgetall(key) : {}
}

it('do what the model does, in any order and whatever lies under their keys', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const model = new Model()
      await client.run('test', async (redis) => {
        await redis.del(REGISTER, ENTRY, LEASE)
        for (const [, act] of steps) {
          await act(model, redis)
          expect(await fieldsOf(redis, REGISTER)).toEqual(model.register)
          expect(await fieldsOf(redis, ENTRY)).toEqual(model.entry)
        }
        const lease = (await redis.type(LEASE)) === 'string' ? await redis.get(LEASE) : null
        expect(lease).toBe(model.lease)
      })
    }),
    { numRuns: 120, seed: 12 },
  )
})

it('never bring a register back to an older version, but over one that was disowned', async () => {
  const run = fc.array(fc.tuple(version, maybe, maybe, fc.boolean()), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(run, async (all) => {
      await client.run('test', async (redis) => {
        await redis.del(REGISTER)
        for (const [v, disowned, settled, isPrepared] of all) {
          const before = await redis.hget(REGISTER, 'v')
          if (isPrepared) await redis.prepareRegister(REGISTER, v, seq(v), '[]', MS)
          else await redis.advanceRegister(REGISTER, v, seq(v), '{}', 'sum', 'e', disowned, settled, '', MS, '', '')
          const after = await redis.hget(REGISTER, 'v')
          const isBack = before !== null && after !== null && seq(after) < seq(before)
          if (isBack) expect(before).toBe(disowned)
          // A preparation leaves the version before it, or none.
          if (isPrepared && after !== null) expect(seq(after)).toBe(seq(v) - 1)
        }
      })
    }),
    { numRuns: 120, seed: 13 },
  )
})

it('give every key a time to live', async () => {
  await client.run('test', async (redis) => {
    await redis.del(REGISTER, ENTRY, LEASE)
    await redis.prepareRegister(REGISTER, '1.a', 1, '[]', MS)
    expect(await redis.pttl(REGISTER)).toBeGreaterThan(0)
    await redis.advanceRegister(REGISTER, '1.a', 1, '{}', 'sum', 'e', '', '', '', MS, '', '')
    await redis.takeLease(LEASE, 'mine', MS)
    expect(await redis.pttl(LEASE)).toBeGreaterThan(0)
    await redis.fillEntry(ENTRY, LEASE, '1.a', 1, Buffer.from('x'), MS, 0, '', 'mine', CHANNEL)
    expect(await redis.pttl(ENTRY)).toBeGreaterThan(0)
    expect(await redis.pttl(REGISTER)).toBeGreaterThan(0)
  })
})
