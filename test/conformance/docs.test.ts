import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { Flights } from '../../src/catalog/flights'
import { runProgram } from '../../src/cli/program'
import { settings } from '../../src/config'
import { createEmptyFlights } from '../../src/demo/empty-flights'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

const ROOT = join(__dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const PAGES = [
  ...['README.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]
const SETTINGS = new Set<string>(Object.values(settings).map(({ name }) => name))

/** The words of a page that are written as code, inline or in fences. */
function codeOf(text: string): string {
  return [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([code]) => code).join('\n')
}

/** Anchors as GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  const headings = text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe.each(PAGES)('%s', (page) => {
  const text = read(page)

  it('links to files and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path)
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })

  it('names no variable that does not exist', () => {
    const others = ['AGGREGRAPH_TEST_DATABASE_URL', 'NODE_EXTRA_CA_CERTS']
    const assigned = [...codeOf(text).matchAll(/(?<![\w$.-])([A-Z][A-Z0-9_]+)=/g)].map(([, name = '']) => name)
    const ours = text.match(/\b(?:AGGREGRAPH|CACHE|REDIS|DATABASE|CORS|AUTH|MIGRATE|LOG)_[A-Z_]+\b/g) ?? []
    expect([...assigned, ...ours].filter((name) => !SETTINGS.has(name) && !others.includes(name))).toEqual([])
  })
})

describe('the commands of the README', () => {
  const section = (title: string) => new RegExp(`^## ${title}$([\\s\\S]*?)^## `, 'm').exec(read('README.md'))?.[1] ?? ''

  it('are all that the program has, with options that it has', async () => {
    const ask = async (...argv: string[]) => {
      let printed = ''
      const write = (text: string) => {
        printed += text
        return true
      }
      // A help prints and does nothing else.
      const shell = { ...process, env: {}, stdout: { write }, stderr: { write } } as never
      expect(await runProgram(argv, shell, '0.0.0')).toBe(0)
      return printed
    }
    const documented = section('Commands')
      .split('\n')
      .filter((line) => line.startsWith('| `aggregraph '))
    const nameOf = (row: string) => /^\| `aggregraph (\w+)/.exec(row)?.[1] ?? ''
    const known = [...(await ask('--help')).matchAll(/^ {2}(\w+)(?: [[<(].*?| {2}.*)$/gm)].map(([, name]) => name)
    expect(documented.map(nameOf).sort()).toEqual(known.filter((name) => name !== 'help').sort())
    for (const row of documented) {
      const help = await ask(nameOf(row), '--help')
      for (const flag of row.match(/--[a-z]+/g) ?? []) expect(help).toContain(flag)
    }
  })

  it('of npm are scripts of the package', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'))
    const named = PAGES.flatMap((page) => [...read(page).matchAll(/\bnpm (?:run )?(start|test|(?<=run )[a-z:]+)/g)])
    expect(named.length).toBeGreaterThan(3)
    expect(named.flatMap(([, name = '']) => (name in scripts ? [] : [name]))).toEqual([])
  })
})

describe('the queries of the tour', () => {
  const queries = [...read('docs/graphql.md').matchAll(/^```graphql\n([\s\S]*?)^```$/gm)].map(([, query = '']) => query)
  let database: TestDatabase
  let server: TestServer

  beforeAll(async () => {
    database = await createTestDatabase()
    await createEmptyFlights(database.url)
    await database.query(`INSERT INTO airports SELECT 'JFK', 'Kennedy', 'New York', 'NY', 'USA', 40.6, -73.8`)
    await database.query(`INSERT INTO flights SELECT '2001-03-02 10:00Z'::timestamptz + i * interval '1 hour', i, 300, 'JFK', 'SFO'
      FROM generate_series(1, 20) AS i`)
    server = await startTestServer({ databaseUrl: database.url, datasets: [Flights] })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  it.each(queries.map((query) => [query]))('are answered without an error:\n%s', async (query) => {
    const { errors, data } = await server.ask(query)
    expect(errors).toBeUndefined()
    expect(Object.values(data ?? {})).not.toContain(null)
  })
})

describe('the containers', () => {
  const compose: {
    services: Record<string, { ports: string[]; environment?: Record<string, string>; healthcheck?: object }>
  } = parse(read('docker-compose.yml'))
  const dockerfile = read('Dockerfile')

  it('publish their ports on this machine alone', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports)
    expect(ports).toHaveLength(3)
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  it('are given settings that exist', () => {
    const given = [
      ...Object.keys(compose.services.server?.environment ?? {}),
      ...[...dockerfile.matchAll(/^ENV (\w+)=/gm)].map(([, name = '']) => name),
    ]
    expect(given).toContain('HOST')
    expect(given.filter((name) => !SETTINGS.has(name))).toEqual([])
  })

  it('say of themselves whether they live, and do not run as root', () => {
    expect(compose.services.postgres?.healthcheck).toBeDefined()
    expect(compose.services.redis?.healthcheck).toBeDefined()
    expect(dockerfile).toMatch(/^HEALTHCHECK /m)
    expect(dockerfile).toMatch(/^USER node$/m)
    expect(dockerfile).not.toMatch(/AUTH=none$/m)
  })

  it('copy only files that the context has', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) => list.split(' '))
    const allowed = read('.dockerignore').split('\n')
    expect(sources.length).toBeGreaterThan(4)
    for (const source of sources) {
      const name = source.replace('./', '')
      expect(existsSync(join(ROOT, name))).toBe(true)
      expect(allowed).toContain(`!${name}`)
    }
  })
})
