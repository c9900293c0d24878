import type { Result } from 'ioredis'

/**
 * The Lua scripts, which Redis runs one at a time. Each touches one key, so that they work on Redis Cluster, and drops
 * a key of a foreign type rather than fail on it.
 */
export const REDIS_SCRIPTS = {
  /** Keeps an entry unless a newer one is there; returns whether it did. */
  setEntry: {
    numberOfKeys: 1,
    lua: `
      local key, version, seq, body, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
      if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
      local held = redis.call('HGET', key, 'v')
      local heldSeq = held and tonumber(string.match(held, '^(%d+)%.'))
      if heldSeq and heldSeq > seq then return 0 end
      redis.call('HSET', key, 'v', version, 'b', body)
      redis.call('PEXPIRE', key, ttl)
      return 1`,
  },
  /** Notes that a commit of this version is about to come. A register that is already as new cannot be of this database. */
  prepareRegister: {
    numberOfKeys: 1,
    lua: `
      local key, version, seq, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
      if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
      local held = redis.call('HGET', key, 'v')
      local heldSeq = held and tonumber(string.match(held, '^(%d+)%.'))
      if heldSeq and heldSeq >= seq then redis.call('HDEL', key, 'v', 'cur', 'ep') end
      redis.call('HSET', key, 'pend', version)
      redis.call('PEXPIRE', key, ttl)
      return 1`,
  },
  /**
   * Sets the current state unless a newer one is there (the version in `disowned` does not count), takes the
   * preparation in `settled` away if it is still that one, and tells the channel if one is given; returns whether it set.
   */
  advanceRegister: {
    numberOfKeys: 1,
    lua: `
      local key, version, seq, state, epoch = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
      local disowned, settled, ttl, channel, message = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
      if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
      local held = redis.call('HGET', key, 'v')
      local heldSeq = held and tonumber(string.match(held, '^(%d+)%.'))
      local written = 0
      if not heldSeq or heldSeq < seq or held == version or held == disowned then
        redis.call('HSET', key, 'v', version, 'cur', state, 'ep', epoch)
        written = 1
      end
      if settled ~= '' and redis.call('HGET', key, 'pend') == settled then redis.call('HDEL', key, 'pend') end
      redis.call('PEXPIRE', key, ttl)
      if channel ~= '' then redis.call('PUBLISH', channel, message) end
      return written`,
  },
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    setEntry(key: string, version: string, seq: number, body: Buffer, ttlMs: number): Result<number, Context>
    prepareRegister(key: string, version: string, seq: number, ttlMs: number): Result<number, Context>
    advanceRegister(
      key: string,
      version: string,
      seq: number,
      state: string,
      epoch: string,
      disowned: string,
      settled: string,
      ttlMs: number,
      channel: string,
      message: string,
    ): Result<number, Context>
  }
}
