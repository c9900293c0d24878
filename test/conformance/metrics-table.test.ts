import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMetrics } from '../../src/metrics/metrics'
import { type Family, parseExposition } from '../support/exposition'
import { ALL_EVENTS } from '../unit/metrics/every-event'

const PAGE = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8')

/** Every metric, each with a sample. */
async function scrape(): Promise<readonly Family[]> {
  const metrics = createMetrics({
    datasetOf: () => 'flights',
    loads: () => ({ running: 1, queued: 0, limit: 8 }),
    memory: () => ({ bytes: 1, entries: 1 }),
    responses: () => ({ bytes: 1 }),
    postgres: () => ({ open: 2, idle: 1, waiting: 0 }),
    dataAsOf: () => new Map([['flights', 0]]),
  })
  for (const event of ALL_EVENTS) metrics.listen(event)
  return [...parseExposition(await metrics.text()).values()]
}

function labelsOf({ samples }: Family): readonly string[] {
  return [...new Set(samples.flatMap(({ labels }) => [...labels.keys()]))].filter((label) => label !== 'le')
}

/** The page's row of a metric. */
function rowOf(family: Family): string {
  const labels = labelsOf(family).map((label) => `\`${label}\``)
  return `| \`${family.name}\` | ${family.type} | ${labels.join(', ')} | ${family.help} |`.replace('|  |', '| |')
}

describe('the metrics of the page on operations', () => {
  let families: readonly Family[]
  beforeAll(async () => {
    families = await scrape()
  })
  const own = () => families.filter(({ name }) => name.startsWith('aggregraph_'))

  it('are all metrics there are, in their order, with type, labels and meaning', () => {
    const section = /^## Metrics$([\s\S]*?)^## /m.exec(PAGE)?.[1] ?? ''
    expect(section.split('\n').filter((line) => line.startsWith('| `'))).toEqual(own().map(rowOf))
  })

  it('are named as Prometheus names them: one prefix, base units, _total for what only grows', () => {
    for (const { name, type, samples } of own()) {
      expect(name).toMatch(/^aggregraph_[a-z]+(_[a-z]+)*$/)
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent)\b/)
      expect(name.endsWith('_total')).toBe(type === 'counter')
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
      expect(samples.length).toBeGreaterThan(0)
    }
  })

  it('are those that its expressions ask for, with labels that they have', () => {
    const known = new Map(families.map((family) => [family.name, family]))
    const wrong = [...PAGE.matchAll(/\b((?:aggregraph|nodejs|process)_[a-z0-9_]+[a-z0-9])(?:\{([^}]*)\})?/g)].filter(
      ([, name = '', matchers = '']) => {
        const family = known.get(name) ?? known.get(name.replace(/_(?:count|sum|bucket)$/, ''))
        if (family === undefined) return true
        return [...matchers.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)].some(([, label = '', , values = '']) => {
          const has = new Set(family.samples.map(({ labels }) => labels.get(label)))
          return values.split(/\\?\|/).some((value) => !has.has(value))
        })
      },
    )
    expect(wrong.map(([expression]) => expression)).toEqual([])
  })
})
