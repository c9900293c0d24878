import { expectNeverStale } from '../support/torture/expect-never-stale'
import { REDIS_FAULTS } from '../support/torture/redis-faults'

describe('readers of three servers never see anything older than the last refresh', () => {
  expectNeverStale(REDIS_FAULTS)
})
