import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { parseSync } from '@swc/core'

const SOURCE = join(__dirname, '../../src')

/**
 * What each part of `src` may import of the others: `errors ← time ← config, dataset ← storage, cache ← refresh, report
 * ← graphql ← http ← server ← main, cli`, and beside them `catalog` (a user of the public surface), `embedded` and
 * `demo` (the Postgres of the demo and what fills it), `metrics` (which hears the events of the cache, is told the rest, and
 * knows nobody that it measures) and the files that compose the whole. An arrow that is not here has to be argued for.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  time: [],
  config: ['errors'],
  dataset: ['errors', 'time'],
  index: ['dataset', 'time'],
  catalog: ['index'],
  cache: ['errors', 'time'],
  storage: ['errors', 'time', 'dataset'],
  demo: [],
  embedded: ['errors'],
  refresh: ['errors', 'time', 'dataset', 'cache', 'storage'],
  report: ['errors', 'time', 'dataset', 'cache', 'storage'],
  graphql: ['errors', 'time', 'dataset', 'cache', 'report'],
  // A whole answer is kept where it is sent: ahead of GraphQL, which it never reaches.
  http: ['errors', 'cache', 'graphql'],
  metrics: ['errors', 'cache'],
  'log-cache-events': ['config', 'cache'],
  services: ['errors', 'config', 'index', 'dataset', 'cache', 'storage'],
  upkeep: ['config', 'dataset', 'storage', 'refresh', 'services'],
  server: [
    'errors',
    'config',
    'dataset',
    'refresh',
    'report',
    'graphql',
    'http',
    'metrics',
    'log-cache-events',
    'services',
    'storage',
    'cache',
    'upkeep',
  ],
  cli: [
    'errors',
    'time',
    'config',
    'dataset',
    'index',
    'cache',
    'storage',
    'demo',
    'embedded',
    'refresh',
    'report',
    'graphql',
    'log-cache-events',
    'services',
    'upkeep',
    'server',
  ],
  main: ['errors', 'config', 'cli'],
}

/** Where each foreign package is at home. One that is not here has no home yet. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@apollo/server': ['graphql', 'http'],
  '@fastify/cors': ['http'],
  '@swc/core': ['dataset'],
  'cli-progress': ['cli'],
  commander: ['cli', 'main'],
  'csv-parse': ['demo'],
  fastify: ['http'],
  graphql: ['graphql', 'cli'],
  hyparquet: ['demo'],
  'hyparquet-compressors': ['demo'],
  ioredis: ['cache'],
  'lru-cache': ['cache'],
  pg: ['storage', 'demo'],
  'pg-copy-streams': ['demo'],
  pino: ['graphql', 'http', 'log-cache-events', 'upkeep', 'server', 'cli', 'main'],
  'prom-client': ['metrics'],
  'reflect-metadata': ['graphql'],
  'temporal-polyfill': ['dataset'],
  'type-graphql': ['graphql'],
  typeorm: ['storage'],
  zod: ['config', 'report'],
}

/** Where the types of a package may be named besides: what is made at its home is handed on. */
const TYPE_GUESTS: Readonly<Record<string, readonly string[]>> = {
  '@apollo/server': ['server'],
  typeorm: ['refresh', 'services', 'server', 'cli'],
}

interface Import {
  /** Path under `src`. */
  readonly from: string
  readonly specifier: string
  /** Path under `src` of what is imported; null for packages. */
  readonly to: string | null
  readonly isOfTypes: boolean
}

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'))
  .sort()
const textOf = new Map(files.map((file) => [file, readFileSync(join(SOURCE, file), 'utf8')]))

/** Every module that a text names: in imports and exports, those of types too, and in `import()` and `require()`. */
function listSpecifiers(text: string): Pick<Import, 'specifier' | 'isOfTypes'>[] {
  const { body } = parseSync(text, { syntax: 'typescript', decorators: true })
  const declared = body.flatMap((item) => {
    if (!('source' in item) || item.source === undefined || item.source === null) return []
    return [{ specifier: item.source.value, isOfTypes: 'typeOnly' in item && item.typeOnly === true }]
  })
  const inline = [...text.matchAll(/\b(?:import|require)\('([^']+)'\)/g)]
  return [...declared, ...inline.map(([, specifier = '']) => ({ specifier, isOfTypes: false }))]
}

function resolveImport(from: string, specifier: string): string | null {
  if (specifier === 'aggregraph') return 'index.ts'
  if (!specifier.startsWith('.')) return null
  const path = relative(SOURCE, resolve(SOURCE, dirname(from), specifier))
    .split(sep)
    .join('/')
  return [path, `${path}.ts`, `${path}/index.ts`].find((candidate) => textOf.has(candidate)) ?? path
}

const imports: readonly Import[] = [...textOf].flatMap(([from, text]) =>
  listSpecifiers(text).map((named) => ({ from, ...named, to: resolveImport(from, named.specifier) })),
)

/** A text without its comments, nearly: what looks like one inside a string goes as well. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}

/** The folder of a file, or the name of a file that is in none. */
function partOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.ts$/, '')
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Files that import each other in a ring, one ring for each file that closes one. */
function findCycles(): string[] {
  const targets = new Map(files.map((file) => [file, imports.filter(({ from }) => from === file)]))
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file) || path.includes(file)) return
    for (const { to } of targets.get(file) ?? []) if (to !== null) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  return cycles
}

describe('the sources', () => {
  it('import only along the arrows of the table', () => {
    const unknown = imports.flatMap(({ from, to }) => {
      if (to === null || partOf(from) === partOf(to)) return []
      return (ARROWS[partOf(from)] ?? []).includes(partOf(to)) ? [] : [`${from} imports ${to}`]
    })
    expect(unknown).toEqual([])
    expect(imports.length).toBeGreaterThan(200)
  })

  it('are all in the table, and the table goes one way', () => {
    expect([...new Set(files.map(partOf))].filter((part) => !(part in ARROWS))).toEqual([])
    const order = Object.keys(ARROWS)
    const backwards = Object.entries(ARROWS).flatMap(([part, targets]) =>
      targets.filter((target) => order.indexOf(target) >= order.indexOf(part)).map((target) => `${part} → ${target}`),
    )
    expect(backwards).toEqual([])
  })

  it('import files that exist, none in a ring', () => {
    expect(imports.filter(({ to }) => to !== null && !textOf.has(to))).toEqual([])
    expect(findCycles()).toEqual([])
  })

  it('import each foreign package only where it is at home', () => {
    const astray = imports.flatMap(({ from, specifier, to, isOfTypes }) => {
      if (to !== null || specifier.startsWith('node:')) return []
      const name = packageOf(specifier)
      const homes = [...(HOMES[name] ?? []), ...(isOfTypes ? (TYPE_GUESTS[name] ?? []) : [])]
      return homes.includes(partOf(from)) ? [] : [`${from} imports ${specifier}`]
    })
    expect(astray).toEqual([])
  })

  it('import node modules under their node: names, and no package that is not a dependency', () => {
    const manifest: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(SOURCE, '../package.json'), 'utf8'),
    )
    const foreign = imports.filter(({ to, specifier }) => to === null && !specifier.startsWith('node:'))
    const names = new Set(foreign.map(({ specifier }) => packageOf(specifier)))
    expect([...names].filter((name) => !(name in manifest.dependencies))).toEqual([])
  })

  it.each([
    ['read process.env nowhere but where the process begins', /\bprocess\.env\b/, ['main.ts', 'config.ts', 'cli/']],
    ['name no `any`', /\bas any\b|<any\b|\bany\[\]|[\w)\]?]: any\b/, []],
    ['assert no value away from null', /[\w)\]]!(?:\.|\[|\))/, []],
  ])('%s', (_, pattern, exceptions) => {
    const found = [...textOf].filter(
      ([file, text]) => pattern.test(codeOf(text)) && !exceptions.some((e) => file.startsWith(e)),
    )
    expect(found.map(([file]) => file)).toEqual([])
  })

  it('silence no compiler', () => {
    expect(files.filter((file) => /@ts-(?:ignore|nocheck|expect-error)/.test(textOf.get(file) ?? ''))).toEqual([])
  })

  it('are in files of at most 300 lines', () => {
    const long = [...textOf].filter(([, text]) => text.split('\n').length - 1 > 300)
    expect(long.map(([file]) => file)).toEqual([])
  })
})
