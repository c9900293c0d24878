import type { CacheService } from '../cache/cache-service'
import { overlap } from '../cache/history'
import type { Reading } from '../cache/reading'
import { isNewer } from '../cache/version'
import type { VersionRegister } from '../cache/version-register'
import type { Sample, Seen } from './sampler'

export interface SampleSources {
  readonly cache: Pick<CacheService, 'pickRecent' | 'read'>
  readonly register: Pick<VersionRegister<unknown>, 'current'>
}

/** Gives any question that was asked lately, ready to be sampled; null when there is none. */
export function createSampleSource(sources: SampleSources): () => Sample | null {
  return () => {
    const reading = sources.cache.pickRecent()
    if (reading === null) return null
    const { topic, group, text } = reading.question
    return {
      topic,
      dataset: group,
      part: partOf(text),
      load: () => reading.load(),
      readCached: () => readCached(sources, reading),
    }
  }
}

/** Reads as an operation does, and gives up what turns out to come from Postgres. */
async function readCached({ cache, register }: SampleSources, reading: Reading): Promise<Seen | null> {
  const { group, topic } = reading.question
  const pinned = await register.current(group, topic)
  if (!pinned.isConfirmed || overlap(pinned.pending, [reading.stretch])) return null
  const { outcome, version, value } = await cache.read(reading, pinned)
  // What was just loaded proves nothing, and what is stale says so.
  if (outcome !== 'memory' && outcome !== 'redis') return null
  return { version: isNewer(version, pinned.version) ? version : pinned.version, value }
}

/** The kind of part that the text of a question names, as it was planned. */
function partOf(text: string): string {
  const { part }: { readonly part?: unknown } = JSON.parse(text)
  return typeof part === 'string' ? part : 'unknown'
}
