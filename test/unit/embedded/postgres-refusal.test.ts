import { explainFault, explainRefusal, isPassing } from '../../../src/embedded/postgres-refusal'

const PLACE = { directory: '/somewhere' }

describe('explainRefusal', () => {
  it.each([
    [
      'a full disk',
      ['FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device'],
      'The disk that holds /somewhere is full: free some space, or set DATABASE_URL.',
    ],
    [
      'a disk that fills up',
      [
        'FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 10',
        'HINT:  Check free disk space.',
      ],
      'The disk that holds /somewhere is full: free some space, or set DATABASE_URL.',
    ],
    [
      'data of another version',
      [
        'FATAL:  database files are incompatible with server',
        'DETAIL:  The data directory was initialized by PostgreSQL version 17.',
      ],
      '/somewhere was made by another version of PostgreSQL: remove it, and it is loaded afresh.',
    ],
    [
      'anything else',
      ['LOG:  starting PostgreSQL', '2001-01-01 00:00:00.000 UTC [7] FATAL:  could not load server certificate file'],
      'The embedded PostgreSQL in /somewhere did not start: FATAL:  could not load server certificate file. Remove that directory to start afresh, or set DATABASE_URL.',
    ],
    [
      'silence',
      [],
      'The embedded PostgreSQL in /somewhere did not start: it said nothing. Remove that directory to start afresh, or set DATABASE_URL.',
    ],
  ])('puts %s into one sentence', (_what, lines, sentence) => {
    expect(explainRefusal(lines, PLACE).message).toBe(sentence)
  })
})

describe('explainFault', () => {
  it.each([
    ['ENOSPC', 'The disk that holds /somewhere is full: free some space, or set DATABASE_URL.'],
    ['EACCES', 'The embedded PostgreSQL may not write to /somewhere: choose another directory, or set DATABASE_URL.'],
    ['EISDIR', 'as it was'],
  ])('puts %s into one sentence', (code, sentence) => {
    const error = Object.assign(new Error('as it was'), { code })
    expect(explainFault(error, '/somewhere')).toMatchObject({ message: sentence })
  })
})

describe('isPassing', () => {
  it.each([
    ['LOG:  could not bind IPv4 address "127.0.0.1": Address already in use', true],
    ['FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use', true],
    ['HINT:  Is another postmaster (PID 12) running in data directory "/somewhere/data"?', true],
    ['FATAL:  database files are incompatible with server', false],
  ])('%s: %p', (line, expected) => {
    expect(isPassing([line])).toBe(expected)
  })
})
