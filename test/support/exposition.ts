export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y
const VALUE = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i

/**
 * Reads the text format of Prometheus, version 0.0.4, strictly: help and type before the samples of a family, every family
 * and every series once, and histograms that add up. Throws at the first line that is not so.
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end')
  const families = new Map<string, { name: string; help: string; type: string; samples: Sample[] }>()
  const series = new Set<string>()
  let current = ''
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line)
    if (comment !== null) {
      const [, what, name = '', rest = ''] = comment
      if (what === 'HELP' && families.has(name)) throw new Error(`${name} is there twice`)
      if (what === 'TYPE' && (name !== current || families.get(name)?.type !== '')) throw new Error(`Astray: ${line}`)
      families.set(name, {
        name,
        help: '',
        samples: [],
        type: '',
        ...families.get(name),
        [what === 'HELP' ? 'help' : 'type']: rest,
      })
      current = name
      continue
    }
    const sample = readSample(line)
    const family = families.get(current)
    const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!suffixes.some((suffix) => sample.name === `${current}${suffix}`)) throw new Error(`Astray: ${line}`)
    const identity = identify(sample)
    if (series.has(identity)) throw new Error(`${identity} is there twice`)
    series.add(identity)
    family?.samples.push(sample)
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family)
  return families
}

/** Every series by its text, `name{label="value"}` with sorted labels, and its value. */
export function seriesOf(text: string): ReadonlyMap<string, number> {
  const samples = [...parseExposition(text).values()].flatMap((family) => family.samples)
  return new Map(samples.map((sample) => [identify(sample), sample.value]))
}

function readSample(line: string): Sample {
  const [, name = '', , labels = '', value = ''] = new RegExp(`^(${NAME})(\\{(.*)\\})? (\\S+)$`).exec(line) ?? []
  if (name === '' || !VALUE.test(value)) throw new Error(`Not a sample: ${line}`)
  const pairs = new Map<string, string>()
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < labels.length) {
    const [, label = '', written = ''] = LABEL.exec(labels) ?? []
    if (label === '' || pairs.has(label)) throw new Error(`Not labels: ${line}`)
    pairs.set(
      label,
      written.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped)),
    )
  }
  return { name, labels: pairs, value: Number(value.replace('Inf', 'Infinity')) }
}

function identify({ name, labels }: Sample): string {
  const pairs = [...labels].sort().map(([label, value]) => `${label}=${JSON.stringify(value)}`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** Buckets grow, and the last of them counts everything. */
function checkHistogram({ name, samples }: Family): void {
  const numberOf = (text = '') => Number(text.replace('Inf', 'Infinity'))
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const labels = new Map([...sample.labels].filter(([label]) => label !== 'le'))
    const group = identify({ ...sample, name, labels })
    groups.set(group, [...(groups.get(group) ?? []), sample])
  }
  for (const [group, members] of groups) {
    const buckets = members.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => numberOf(labels.get('le')))
    const isGrowing = buckets.every(({ value }, index) => {
      const [bound = 0, lastBound = -1] = [bounds[index], bounds[index - 1]]
      return bound > lastBound && value >= (buckets[index - 1]?.value ?? 0)
    })
    const count = members.find((sample) => sample.name === `${name}_count`)?.value
    const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && buckets.at(-1)?.value === count
    if (!isGrowing || !isWhole) throw new Error(`${group} does not add up`)
  }
}
