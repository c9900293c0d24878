import { isLoopbackHost, nameFlag, readConfig, redactUrl, settings } from '../../src/config'
import { ConfigurationError } from '../../src/errors'

function listFaults(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.faults.map((fault) => fault.subject)
  }
}

describe('readConfig', () => {
  it('needs nothing set', () => {
    expect(readConfig({})).toMatchObject({
      databaseUrl: null,
      redisUrl: null,
      host: '127.0.0.1',
      port: 4000,
      datasets: null,
      schema: 'aggregraph',
      migrate: 'auto',
      cacheTtlSeconds: 300,
      cacheMemoryMb: 64,
      corsOrigins: [],
      allowedHosts: [],
      bodyLimitBytes: 100_000,
      introspection: true,
      isLoopback: true,
      isProduction: false,
      warnings: [],
    })
  })

  it('takes an empty value for unset, and a flag before the environment', () => {
    const config = readConfig(
      { PORT: '', HOST: '', CACHE_TTL_SECONDS: '10', DATABASE_URL: '' },
      { CACHE_TTL_SECONDS: '20' },
    )
    expect(config).toMatchObject({ port: 4000, host: '127.0.0.1', cacheTtlSeconds: 20, databaseUrl: null })
  })

  it.each([
    ['PORT', ['0', '65535'], ['-1', '65536', '80x', '1e3', '4000.0', ' 4000']],
    ['DATABASE_URL', ['postgres://a:b@c/d', 'postgresql:///d'], ['mysql://a/b', 'a', 'postgres://u:p#w@h/d']],
    ['REDIS_URL', ['redis://localhost', 'rediss://:pw@host:6380/1'], ['http://localhost', 'localhost:6379']],
    ['HOST', ['localhost', '::1', '127.0.0.2'], ['a b', 'http://x']],
    [
      'AGGREGRAPH_SCHEMA',
      ['agg', '_a1'],
      ['public', 'pg_agg', 'information_schema', 'Agg', '1a', 'a-b', 'a'.repeat(49)],
    ],
    ['MIGRATE', ['auto', 'check'], ['AUTO', 'yes']],
    ['LOG_LEVEL', ['trace', 'silent'], ['loud', 'INFO']],
    ['AUTH', ['none'], ['off', 'jwt']],
    ['INTROSPECTION', ['on', 'off'], ['true', '1']],
    [
      'CORS_ORIGINS',
      ['https://a.example', 'http://a:3000, https://b.example'],
      ['*', 'a.example', 'https://a.example/', 'null'],
    ],
    ['ALLOWED_HOSTS', ['app.internal', 'a,b'], ['a:80', 'http://a']],
    ['BODY_LIMIT_BYTES', ['1000'], ['999', '100kB']],
    ['DRAIN_SECONDS', ['0', '5'], ['6', '-0']],
    ['CACHE_TTL_SECONDS', ['1'], ['0', 'forever']],
  ])('%s accepts %j and refuses %j', (name, good, bad) => {
    for (const value of good) expect([value, listFaults({ [name]: value })]).toEqual([value, []])
    for (const value of bad) expect([value, listFaults({ [name]: value })]).toEqual([value, [name]])
  })

  it('tells all faults together', () => {
    expect(listFaults({ PORT: 'x', MIGRATE: 'x', DATABASE_URL: 'x', HOST: '0.0.0.0' })).toEqual([
      'DATABASE_URL',
      'PORT',
      'MIGRATE',
      'HOST',
    ])
  })

  it('never repeats a URL that it refuses', () => {
    expect(() => readConfig({ DATABASE_URL: 'mysql://root:hunter2@db/x' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    )
  })

  it('refuses to listen for everybody unless AUTH=none is said', () => {
    expect(listFaults({ HOST: '0.0.0.0' })).toEqual(['HOST'])
    expect(listFaults({ HOST: '::' })).toEqual(['HOST'])
    expect(readConfig({ HOST: '0.0.0.0', AUTH: 'none' })).toMatchObject({ isLoopback: false, introspection: false })
    expect(readConfig({ HOST: '0.0.0.0', AUTH: 'none', INTROSPECTION: 'on' }).introspection).toBe(true)
  })

  it('never lets a statement outlive its answer', () => {
    expect(readConfig({ REQUEST_TIMEOUT_SECONDS: '5' }).statementTimeoutSeconds).toBe(5)
    expect(readConfig({ STATEMENT_TIMEOUT_SECONDS: '7' }).statementTimeoutSeconds).toBe(7)
  })

  it('warns of variables that look like settings and are none', () => {
    const { warnings } = readConfig({ AGGREGRAPH_DATASET: 'x', AGGREGRAPH_DATASETS: 'y', OTHER: 'z' })
    expect(warnings).toEqual(['AGGREGRAPH_DATASET is not a setting, so it changes nothing.'])
  })
})

describe('settings', () => {
  it('have names, flags and defaults that hold', () => {
    const all = Object.values(settings)
    expect(new Set(all.map((each) => each.name)).size).toBe(all.length)
    expect(new Set(all.map(nameFlag)).size).toBe(all.length)
    for (const each of all) {
      if (each.default !== null)
        expect([each.name, each.schema.safeParse(each.default).success]).toEqual([each.name, true])
    }
    expect([settings.datasets, settings.port, settings.cacheTtlSeconds].map(nameFlag)).toEqual([
      '--datasets',
      '--port',
      '--cache-ttl-seconds',
    ])
  })
})

describe('redactUrl', () => {
  it.each([
    ['postgres://app:s3cret@db:5432/shop', 'postgres://app:***@db:5432/shop'],
    ['postgres://db/shop?user=a&password=s3cret', 'postgres://db/shop?user=a&password=***'],
    ['redis://:s3cret@cache', 'redis://:***@cache'],
    ['postgres://app@db/shop', 'postgres://app@db/shop'],
    ['s3cret', '(not a URL)'],
  ])('%s becomes %s', (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted)
  })
})

describe('isLoopbackHost', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.example.com', false],
    ['192.168.0.1', false],
  ])('%s: %s', (host, isLoopback) => {
    expect(isLoopbackHost(host)).toBe(isLoopback)
  })
})
