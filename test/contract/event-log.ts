import type { CacheEvent, CacheListener } from '../../src/cache/cache-event'

type Kind = CacheEvent['kind']

export interface EventLog {
  readonly listen: CacheListener
  /** Everything heard since the last call, oldest first. */
  take(): CacheEvent[]
  /** The kinds of everything heard since the last call. */
  takeKinds(): Kind[]
  /** Waits for the next event of a kind; one that was heard already does not count. */
  next(kind: Kind): Promise<CacheEvent>
}

/** Makes a listener that remembers what it hears. */
export function createEventLog(): EventLog {
  let events: CacheEvent[] = []
  let waiting: { kind: Kind; resolve: (event: CacheEvent) => void }[] = []
  const take = () => {
    const taken = events
    events = []
    return taken
  }
  return {
    listen(event) {
      events.push(event)
      for (const { kind, resolve } of waiting) if (kind === event.kind) resolve(event)
      waiting = waiting.filter(({ kind }) => kind !== event.kind)
    },
    take,
    takeKinds: () => take().map((event) => event.kind),
    next: (kind) =>
      new Promise((resolve) => {
        waiting.push({ kind, resolve })
      }),
  }
}
