/**
 * What tells the series of one metric apart. Values come from closed lists or from declarations, never from requests:
 * each combination is a series that Prometheus keeps.
 */
export type Labels = Readonly<Record<string, string>>

/**
 * The number of one series. Whoever measures adds to it, or sets it: nothing is looked up and nothing is hashed, so it
 * costs what an addition costs. NaN, with which gauges begin, stands for "not known" and is not written.
 */
export interface Series {
  value: number
}

/** The durations of one series, counted by bucket. */
export interface Durations {
  observe(milliseconds: number): void
}

/** The metrics of one server, in the order in which they were added. */
export interface MetricSet {
  /** Adds a number that only grows; gives its series, which begin at 0. */
  counter(name: string, help: string): (labels?: Labels) => Series
  /** Adds a number that comes and goes; gives its series. */
  gauge(name: string, help: string): (labels?: Labels) => Series
  /** Adds durations, in seconds: a histogram. */
  durations(name: string, help: string): (labels?: Labels) => Durations
  /** Adds a gauge that is read whenever the metrics are; null and what is not finite is not written. */
  read(name: string, help: string, read: () => Iterable<readonly [labels: Labels, value: number | null]>): void
  /** Everything, in the text format of Prometheus, version 0.0.4. */
  text(): string
}

/** Upper bounds of the buckets, in seconds: from an answer out of memory to a statement that is given up. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  lines(): readonly string[]
}

/**
 * Makes an empty set. It counts by itself, and not with prom-client, which hashes the labels anew at every event, 50 times
 * as dear as the addition.
 */
export function createMetricSet(): MetricSet {
  const families: Family[] = []

  function addNumbers(name: string, help: string, type: 'counter' | 'gauge', initial: number) {
    const all: { readonly start: string; readonly series: Series }[] = []
    families.push({ name, help, type, lines: () => all.flatMap(({ start, series }) => line(start, series.value)) })
    return (labels: Labels = {}): Series => {
      const series = { value: initial }
      all.push({ start: startOf(name, labels), series })
      return series
    }
  }

  return {
    counter: (name, help) => addNumbers(name, help, 'counter', 0),
    gauge: (name, help) => addNumbers(name, help, 'gauge', Number.NaN),
    durations(name, help) {
      const all: Histogram[] = []
      families.push({ name, help, type: 'histogram', lines: () => all.flatMap((histogram) => histogram.lines()) })
      return (labels = {}) => {
        const histogram = new Histogram(name, labels)
        all.push(histogram)
        return histogram
      }
    },
    read(name, help, read) {
      const lines = () => [...read()].flatMap(([labels, value]) => line(startOf(name, labels), value ?? Number.NaN))
      families.push({ name, help, type: 'gauge', lines })
    },
    text: () =>
      families
        .flatMap(({ name, help, type, lines }) => [
          `# HELP ${name} ${escapeText(help)}`,
          `# TYPE ${name} ${type}`,
          ...lines(),
        ])
        .map((each) => `${each}\n`)
        .join(''),
  }
}

class Histogram implements Durations {
  /** Of each bucket alone; what is above all bounds is only in `#count`. */
  readonly #counts = BOUNDS.map(() => 0)
  readonly #starts: readonly string[]
  #count = 0
  #seconds = 0

  constructor(
    private readonly name: string,
    private readonly labels: Labels,
  ) {
    this.#starts = BOUNDS.map((bound) => startOf(`${name}_bucket`, { ...labels, le: String(bound) }))
  }

  observe(milliseconds: number): void {
    const seconds = milliseconds / 1000
    this.#count += 1
    this.#seconds += seconds
    for (let index = 0; index < BOUNDS.length; index += 1) {
      if (seconds <= (BOUNDS[index] ?? 0)) {
        this.#counts[index] = (this.#counts[index] ?? 0) + 1
        return
      }
    }
  }

  lines(): readonly string[] {
    let below = 0
    const buckets = this.#starts.flatMap((start, index) => {
      below += this.#counts[index] ?? 0
      return line(start, below)
    })
    return [
      ...buckets,
      ...line(startOf(`${this.name}_bucket`, { ...this.labels, le: '+Inf' }), this.#count),
      ...line(startOf(`${this.name}_sum`, this.labels), this.#seconds),
      ...line(startOf(`${this.name}_count`, this.labels), this.#count),
    ]
  }
}

/** One entry for each of the values, made from it. */
export function tabulate<V extends string, T>(values: readonly V[], make: (value: V) => T): Readonly<Record<V, T>> {
  // fromEntries forgets that its keys are exactly the values.
  return Object.fromEntries(values.map((value) => [value, make(value)])) as Record<V, T>
}

function line(start: string, value: number): readonly string[] {
  return Number.isFinite(value) ? [`${start} ${value}`] : []
}

function startOf(name: string, labels: Labels): string {
  const written = Object.entries(labels).map(
    ([label, value]) => `${label}="${escapeText(value).replaceAll('"', '\\"')}"`,
  )
  return written.length === 0 ? name : `${name}{${written.join(',')}}`
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
