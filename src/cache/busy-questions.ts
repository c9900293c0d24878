import { LRUCache } from 'lru-cache'
import type { Reading } from './reading'

/** How many questions are remembered, and how many of them are loaded again for a new version. */
const REMEMBERED = 1_000
const WARMED = 32

interface Counted {
  reading: Reading
  hits: number
}

/** Remembers which questions are asked most. Old hits count half after each new version. */
export class BusyQuestions {
  readonly #counted = new LRUCache<string, Counted>({ max: REMEMBERED })

  count(key: string, reading: Reading): void {
    const counted = this.#counted.get(key)
    if (counted === undefined) {
      this.#counted.set(key, { reading, hits: 1 })
      return
    }
    counted.reading = reading
    counted.hits += 1
  }

  /** The questions about a topic that were asked more than once, the busiest first. */
  takeBusiest(topic: string): Reading[] {
    const own = [...this.#counted.values()].filter(({ reading }) => reading.question.topic === topic)
    const busiest = own.filter(({ hits }) => hits >= 2).sort((a, b) => b.hits - a.hits)
    for (const counted of own) counted.hits /= 2
    return busiest.slice(0, WARMED).map(({ reading }) => reading)
  }

  /** Any question that was asked lately; null when there is none. `random` is in [0, 1). */
  pick(random: number): Reading | null {
    const all = [...this.#counted.values()]
    return all[Math.floor(random * all.length)]?.reading ?? null
  }
}
