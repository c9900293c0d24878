import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { readConfig } from '../../src/config'
import { loadDatasets } from '../../src/dataset/load-datasets'
import * as surface from '../../src/index'
import { createServer, type Server } from '../../src/server'
import { createTestDatabase, type TestDatabase } from '../support/database'

const ROOT = join(__dirname, '../..')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The first code fence of a language, which is part of the example. */
function fence(language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(README)
  if (found?.[1] === undefined) throw new Error(`The README has no ${language} fence`)
  return found[1]
}

describe('the example of the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aggregraph-readme-'))
  let database: TestDatabase
  let server: Server
  let url: string

  beforeAll(async () => {
    writeFileSync(join(folder, 'orders.ts'), fence('ts'))
    database = await createTestDatabase()
    await database.query(fence('sql'))
    server = createServer({
      config: readConfig({ PORT: '0', DRAIN_SECONDS: '0', LOG_LEVEL: 'silent' }),
      databaseUrl: database.url,
      declarations: loadDatasets(folder, surface),
      logger: pino({ level: 'silent' }),
    })
    url = await server.listen()
    await server.ready()
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
    rmSync(folder, { recursive: true })
  })

  it('answers its query with its answer, byte for byte but for white space', async () => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: fence('graphql') }),
    })
    expect((await response.text()).trim()).toBe(JSON.stringify(JSON.parse(fence('json'))))
    expect(response.status).toBe(200)
  })

  it('stands within the first 40 lines: dataset, query, answer', () => {
    const lines = README.split('\n')
    const starts = ['```ts', '```graphql', '```json'].map((start) => lines.indexOf(start))
    expect(starts).toEqual(starts.toSorted((a, b) => a - b))
    expect(starts[0]).toBeGreaterThan(0)
    expect(lines.indexOf('```', starts[2])).toBeLessThan(40)
  })

  it('is the dataset and the table of examples/datasets, whose types are right', () => {
    expect(readFileSync(join(ROOT, 'examples/datasets/orders.ts'), 'utf8')).toBe(fence('ts'))
    expect(readFileSync(join(ROOT, 'examples/datasets/orders.sql'), 'utf8')).toBe(fence('sql'))
    const check = () =>
      execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'examples/datasets'], {
        cwd: ROOT,
        encoding: 'utf8',
      })
    expect(check()).toBe('')
  })
})
