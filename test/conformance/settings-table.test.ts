import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nameFlag, type Setting, settings } from '../../src/config'

const README = readFileSync(join(__dirname, '../../README.md'), 'utf8')

/** The README's row of a setting. */
function rowOf(setting: Setting): string {
  const byDefault = setting.default === null ? 'unset' : setting.default === '' ? 'empty' : `\`${setting.default}\``
  const cells = [`\`${setting.name}\``, byDefault, setting.kind, setting.description]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

describe('the settings of the README', () => {
  it('are all settings there are, in their order, with their defaults and what they accept', () => {
    const section = /^## Settings$([\s\S]*?)^## /m.exec(README)?.[1] ?? ''
    const rows = section.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows).toEqual(Object.values(settings).map(rowOf))
  })

  it('have flags of their own', () => {
    const flags = Object.values(settings).map(nameFlag)
    expect(new Set(flags).size).toBe(flags.length)
    expect(flags).toContain('--cache-ttl-seconds')
    expect(flags).toContain('--datasets')
  })
})
