// Compiles src into dist and bundles GraphiQL. Does nothing when neither has changed, so that a start costs no build.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const stampFile = join(dist, '.built')
/** Holds the process that builds. */
const turnFile = join(dist, '.building')

/** Paths, sizes and times of everything that dist is made from; the lock file stands for the packages. */
function stampInputs() {
  const hash = createHash('sha256')
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\0`)
  }
  for (const folder of ['src', 'scripts']) {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    for (const file of files.sort()) add(file.slice(root.length + 1))
  }
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json']) add(file)
  const installed = 'node_modules/.package-lock.json'
  if (existsSync(join(root, installed))) add(installed)
  return hash.digest('hex')
}

/** Removes what was compiled from files that are gone: a dataset among them would be served on. */
function removeLeftovers() {
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const source = /^(?!graphiql)(.+?)\.(?:d\.ts|js|js\.map)$/.exec(file)?.[1]
    if (source !== undefined && !existsSync(join(root, 'src', `${source}.ts`))) rmSync(join(dist, file))
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Waits until no other process builds: tests start at once, and two builds would remove each other's files. */
async function takeTurn() {
  mkdirSync(dist, { recursive: true })
  for (;;) {
    try {
      writeFileSync(turnFile, String(process.pid), { flag: 'wx' })
      process.on('exit', () => rmSync(turnFile, { force: true }))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = existsSync(turnFile) ? Number(readFileSync(turnFile, 'utf8')) : 0
    if (holder > 0 && !isAlive(holder)) rmSync(turnFile, { force: true })
    else await wait(100)
  }
}

const isBuilt = (stamp) => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp

const isForced = process.argv.includes('--force')
if (isForced || !isBuilt(stampInputs())) {
  await takeTurn()
  const stamp = stampInputs()
  if (isForced || !isBuilt(stamp)) {
    rmSync(stampFile, { force: true })
    run(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'])
    removeLeftovers()
    run(process.execPath, [join(root, 'scripts/build-graphiql.mjs')])
    writeFileSync(stampFile, stamp)
  }
}
