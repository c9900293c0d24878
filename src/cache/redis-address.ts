import type { RedisOptions } from 'ioredis'
import { ConfigurationError } from '../errors'

/** Where a Redis is, and who asks. */
export type RedisAddress = Pick<RedisOptions, 'host' | 'port' | 'username' | 'password' | 'db' | 'tls'>

/**
 * Reads `redis://[user[:password]@]host[:port][/db]`, with `rediss://` for TLS. Options in a query string are refused,
 * so that a URL cannot undo the settings of the connection. Throws a ConfigurationError that does not repeat the URL,
 * which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null
  const db = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '')?.[1]
  const isRedis = url?.protocol === 'redis:' || url?.protocol === 'rediss:'
  if (!url || !isRedis || db === undefined || url.hostname === '' || url.search !== '' || url.hash !== '')
    throw refuse()
  const [username, password] = [decode(url.username), decode(url.password)]
  return {
    // Sockets want an IPv6 address without its brackets.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    db: Number(db),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse()
  }
}

function refuse(): ConfigurationError {
  const sentence = 'is not a Redis URL. Write redis://[user[:password]@]host[:port][/db], or rediss:// for TLS.'
  return new ConfigurationError([{ subject: 'REDIS_URL', sentence }])
}
