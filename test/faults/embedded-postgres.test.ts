import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embedded-postgres'

const SMALL = { shared_buffers: '16MB' }

let directory: string
const started: EmbeddedPostgres[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), `aggregraph-test-${process.pid}-`))
})
afterEach(async () => {
  for (const postgres of started.splice(0)) await postgres.stop()
  await rm(directory, { recursive: true, force: true })
})

async function start(): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ directory, onLog() {}, settings: SMALL })
  started.push(postgres)
  return postgres
}

async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

function remember(url: string): Promise<readonly unknown[]> {
  return query(url, 'CREATE TABLE kept AS SELECT 7 AS number')
}

function recall(url: string): Promise<readonly unknown[]> {
  return query(url, 'SELECT number FROM kept')
}

it('keeps its data between starts, and may be stopped twice', async () => {
  const first = await start()
  await remember(first.url)
  await first.stop()
  await first.stop()
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
  expect(await recall((await start()).url)).toEqual([{ number: 7 }])
})

it('listens on 127.0.0.1 alone, and asks for its password', async () => {
  const { url } = await start()
  expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
  const guessed = new URL(url)
  guessed.password = 'postgres'
  await expect(query(guessed.href, 'SELECT 1')).rejects.toThrow('password authentication failed')
  const { mode } = await stat(join(directory, 'cluster', 'password'))
  expect((mode & 0o777).toString(8)).toBe('600')
})

it('disconnects clients that stay when it stops', async () => {
  const postgres = await start()
  const client = new Client({ connectionString: postgres.url })
  const lost = new Promise<Error>((resolve) => client.on('error', resolve))
  await client.connect()
  await postgres.stop()
  expect((await lost).message).toMatch(/terminating connection|Connection terminated/)
})

it('refuses a second start on the same directory with a sentence that says who holds it', async () => {
  const first = await start()
  await expect(start()).rejects.toThrow(
    `The embedded PostgreSQL in ${directory} is in use by process ${process.pid} (PostgreSQL itself is ${first.pid}): stop that one, or set DATABASE_URL.`,
  )
  expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

it('starts again, with its data, after the postmaster was killed', async () => {
  const first = await start()
  await remember(first.url)
  process.kill(first.pid, 'SIGKILL')
  await first.exited
  expect(await recall((await start()).url)).toEqual([{ number: 7 }])
})

it('starts although the number of a killed postmaster now belongs to another process', async () => {
  const first = await start()
  await remember(first.url)
  await first.stop()
  const lock = join(directory, 'cluster', 'data', 'postmaster.pid')
  // The parent of a postmaster is never taken for one, so the number must be another's: Jest's own.
  await writeFile(lock, `${process.pid}\n${join(directory, 'cluster', 'data')}\n`, { mode: 0o644 })
  expect(await recall((await start()).url)).toEqual([{ number: 7 }])
})
