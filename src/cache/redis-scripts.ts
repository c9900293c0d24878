import type { Result } from 'ioredis'

/** The part of a version's text that gives the order, as strictly as it is read; whether a command failed; and what drops a key of a foreign type. */
const COMMON = `local function seqOf(version)
        local digits = version and string.match(version, '^(%d+)%.[%w-]+$')
        if not digits or (#digits > 1 and string.sub(digits, 1, 1) == '0') then return nil end
        local seq = tonumber(digits)
        return seq <= 9007199254740991 and seq or nil
      end
      local function failed(reply) return type(reply) == 'table' and reply.err end
      local function clear(key) if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end end`

/**
 * The Lua scripts, which Redis runs one at a time. The keys of each have one hash tag, so that they work on Redis Cluster.
 * A key of a foreign type is dropped rather than failed on, and so is a lease without an end.
 */
export const REDIS_SCRIPTS = {
  /**
   * Reads an entry that is at least as new as `since`, else tries to take the lease, if a token is given. Answers with the
   * version, the body and the milliseconds left before it is past its time; with the version and `won`, `lost` or `failed`;
   * or with the version alone.
   */
  readEntry: {
    numberOfKeys: 2,
    lua: `
      ${COMMON}
      local entry, lease, since, token, ms = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2], ARGV[3]
      clear(entry)
      local version = redis.call('HGET', entry, 'v')
      local seq = seqOf(version)
      if seq and seq >= since then
        local grace = tonumber(redis.call('HGET', entry, 'g') or '0') or 0
        return {version, redis.call('HGET', entry, 'b') or '', redis.call('PTTL', entry) - grace}
      end
      if token == '' then return {version or ''} end
      if redis.call('PTTL', lease) == -1 then redis.call('DEL', lease) end
      if redis.call('SET', lease, token, 'NX', 'PX', ms) then return {version or '', 'won'} end
      local held = redis.pcall('GET', lease)
      return {version or '', held == token and 'won' or held == 'failed' and 'failed' or 'lost'}`,
  },
  /** Takes the lease of an entry that is there already, to make it anew before its time is over. */
  takeLease: {
    numberOfKeys: 1,
    lua: `
      if redis.call('PTTL', KEYS[1]) == -1 then redis.call('DEL', KEYS[1]) end
      return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0`,
  },
  /**
   * Keeps an entry unless a newer one is there (the version in \`replaced\` does not count), and tells who waits; returns
   * whether it kept it. The lease ends with it, whoever has it: there is nothing left to wait for.
   */
  fillEntry: {
    numberOfKeys: 2,
    lua: `
      ${COMMON}
      local entry, lease, version, seq, body = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), ARGV[3]
      local keep, grace, replaced, token, channel = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
      clear(entry)
      local held = redis.call('HGET', entry, 'v')
      local heldSeq = seqOf(held)
      local isKept = not heldSeq or heldSeq <= seq or held == replaced
      if isKept then
        redis.call('HSET', entry, 'v', version, 'b', body, 'g', grace)
        redis.call('PEXPIRE', entry, keep)
      end
      if isKept or redis.pcall('GET', lease) == token then redis.call('DEL', lease) end
      redis.call('PUBLISH', channel, entry)
      return isKept and 1 or 0`,
  },
  /** Ends a lease that is still ours after a load that failed: gives it back, or for \`ms\` keeps everybody from trying again. */
  endLease: {
    numberOfKeys: 1,
    lua: `
      local lease, token, ms, channel, entry = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
      if redis.pcall('GET', lease) ~= token then return 0 end
      if ms > 0 then redis.call('SET', lease, 'failed', 'PX', ms) else redis.call('DEL', lease) end
      redis.call('PUBLISH', channel, entry)
      return 1`,
  },
  /**
   * Notes that a commit of this version is about to come, and what it changes. A register that is not of the version
   * before is not of this database, or has missed a commit: it is not to be believed. A Redis that is full forgets it all.
   */
  prepareRegister: {
    numberOfKeys: 1,
    lua: `
      ${COMMON}
      local key, version, seq, stretches, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
      clear(key)
      local heldSeq = seqOf(redis.call('HGET', key, 'v'))
      if heldSeq and heldSeq ~= seq - 1 then redis.call('HDEL', key, 'v', 'cur', 'sum', 'ep') end
      if failed(redis.pcall('HSET', key, 'pend', version, 'pst', stretches)) then redis.call('DEL', key) end
      redis.call('PEXPIRE', key, ttl)
      return 1`,
  },
  /**
   * Sets the current state unless a newer one is there (the version in \`disowned\` does not count), takes the
   * preparation in \`settled\` away if it is still that one, and tells the channel if one is given; returns whether it set.
   * A refresh that publishes (\`isPublished\`) sets it only in the place of its own preparation, or of an earlier state that
   * nobody is about to change: a register that was lost since may by now be about to change again, which readers can tell.
   */
  advanceRegister: {
    numberOfKeys: 1,
    lua: `
      ${COMMON}
      local key, version, seq, state, digest, epoch = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
      local disowned, settled, isPublished, ttl, channel, message = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
      clear(key)
      local held = redis.call('HGET', key, 'v')
      local heldSeq = seqOf(held)
      local pending = redis.call('HGET', key, 'pend')
      local isNewer = not heldSeq or heldSeq < seq or held == version or held == disowned
      local mayPublish = pending == settled or (not pending and heldSeq)
      local written = 0
      if isNewer and (isPublished == '' or mayPublish) then
        if failed(redis.pcall('HSET', key, 'v', version, 'cur', state, 'sum', digest, 'ep', epoch)) then redis.call('DEL', key)
        else written = 1 end
      end
      if settled ~= '' and pending == settled then redis.call('HDEL', key, 'pend', 'pst') end
      redis.call('PEXPIRE', key, ttl)
      if channel ~= '' then redis.call('PUBLISH', channel, message) end
      return written`,
  },
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readEntryBuffer(
      entry: string,
      lease: string,
      since: number,
      token: string,
      leaseMs: number,
    ): Result<(Buffer | number)[], Context>
    takeLease(lease: string, token: string, leaseMs: number): Result<number, Context>
    fillEntry(
      entry: string,
      lease: string,
      version: string,
      seq: number,
      body: Buffer,
      keepMs: number,
      graceMs: number,
      replaced: string,
      token: string,
      channel: string,
    ): Result<number, Context>
    endLease(lease: string, token: string, backOffMs: number, channel: string, entry: string): Result<number, Context>
    prepareRegister(
      key: string,
      version: string,
      seq: number,
      stretches: string,
      ttlMs: number,
    ): Result<number, Context>
    advanceRegister(
      key: string,
      version: string,
      seq: number,
      state: string,
      digest: string,
      epoch: string,
      disowned: string,
      settled: string,
      isPublished: string,
      ttlMs: number,
      channel: string,
      message: string,
    ): Result<number, Context>
  }
}
