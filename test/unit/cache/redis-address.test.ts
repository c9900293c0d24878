import { parseRedisUrl } from '../../../src/cache/redis-address'
import { ConfigurationError } from '../../../src/errors'

const good: readonly [string, object][] = [
  ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
  ['redis://127.0.0.1:6380/', { host: '127.0.0.1', port: 6380, db: 0 }],
  ['redis://cache:1/3', { host: 'cache', port: 1, db: 3 }],
  ['redis://[::1]:6379', { host: '::1', port: 6379, db: 0 }],
  ['redis://:p%40ss@cache', { host: 'cache', port: 6379, db: 0, password: 'p@ss' }],
  ['redis://me:secret@cache', { host: 'cache', port: 6379, db: 0, username: 'me', password: 'secret' }],
  ['rediss://cache', { host: 'cache', port: 6379, db: 0, tls: {} }],
]
it.each(good)('reads %s', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address)
})

const bad = [
  '',
  'cache',
  'cache:6379',
  'http://:s3cret@cache',
  'redis://',
  'redis://:s3cret@cache:99999',
  'redis://:s3cret@cache/first',
  'redis://:s3cret@cache?enableOfflineQueue=true',
  'redis://:s3cret@cache#x',
  'redis://:s3cret%zz@cache',
]
it.each(bad)('refuses %j, and does not repeat it', (url) => {
  expect(() => parseRedisUrl(url)).toThrow(ConfigurationError)
  expect(() => parseRedisUrl(url)).toThrow(/REDIS_URL: is not a Redis URL\. Write redis:/)
  expect(() => parseRedisUrl(url)).not.toThrow(/s3cret/)
})
