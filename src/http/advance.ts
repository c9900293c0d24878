import type { IncomingMessage } from 'node:http'
import type { Caller } from './caller'
import type { SpelledRequest } from './spelled-request'

/** What was found out about a request before it went on to the framework. */
export interface Advance {
  /** May reject with what keeps the caller from being known. */
  readonly caller: Caller | Promise<Caller>
  /** The bytes of a body that has been read; null for a GET, or when nothing was read. */
  readonly body: Buffer | null
  /** Whether a whole answer was there, but is not what would be answered now. */
  readonly wasOutdated: boolean
  /** How it asks what others may ask in other words; null when that is not known. */
  readonly spelled: SpelledRequest | null
}

/** Where a request keeps what was found out about it: a weak map would cost the collector more than all else of a request. */
const ADVANCE = Symbol('advance')
type Remembering = IncomingMessage & { [ADVANCE]?: Advance }

/** Notes what was found out about a request. */
export function remember(request: Remembering, advance: Advance): void {
  request[ADVANCE] = advance
}

/** What was found out about a request; undefined for one that nobody looked at. */
export function recallAdvance(request: Remembering): Advance | undefined {
  return request[ADVANCE]
}
