import { setTimeout as wait } from 'node:timers/promises'
import { createFault, type Fault } from './fault'
import { LINK_FAULTS } from './link-faults'
import { POSTGRES_FAULTS } from './postgres-faults'
import { PROCESS_FAULTS } from './process-faults'
import { REDIS_FAULTS } from './redis-faults'

/** Nothing goes wrong. */
export const NONE = createFault('none', [], () => wait(5_000))

/** Everything that may go wrong, by itself. */
export const FAULTS: readonly Fault[] = [NONE, ...PROCESS_FAULTS, ...REDIS_FAULTS, ...LINK_FAULTS, ...POSTGRES_FAULTS]
