import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'

function readSystem(): string {
  const file = '/etc/os-release'
  const name = existsSync(file) ? /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  return [name, `${type()} ${release()}`].filter((part) => part !== undefined).join(', ')
}

/** What the figures were measured on, as pairs to list. */
export function describeMachine(): readonly (readonly [string, string])[] {
  const all = cpus()
  return [
    ['processor', `${all[0]?.model.trim() ?? 'unknown'}, ${all.length} cores`],
    ['memory', `${Math.round(totalmem() / 1024 ** 3)} GB`],
    ['system', readSystem()],
    ['Node', process.version],
  ]
}
