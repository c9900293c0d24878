import { expectNeverStale } from '../support/torture/expect-never-stale'
import { LINK_FAULTS } from '../support/torture/link-faults'

describe('readers of three servers never see anything older than the last refresh, also where one cannot reach Redis', () => {
  expectNeverStale(LINK_FAULTS)
})
