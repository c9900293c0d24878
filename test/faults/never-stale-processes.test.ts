import { expectNeverStale } from '../support/torture/expect-never-stale'
import { NONE } from '../support/torture/faults'
import { POSTGRES_FAULTS } from '../support/torture/postgres-faults'
import { PROCESS_FAULTS } from '../support/torture/process-faults'

describe('readers of three servers never see anything older than the last refresh', () => {
  expectNeverStale([NONE, ...PROCESS_FAULTS, ...POSTGRES_FAULTS])
})
