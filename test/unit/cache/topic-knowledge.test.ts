import { TopicKnowledge } from '../../../src/cache/topic-knowledge'
import { beginHistory } from '../../../src/storage/changes'

const state = (seq: number, uuid = `u${seq}`) => ({
  version: { seq, uuid },
  history: beginHistory({ seq, uuid }),
  data: seq,
})
const version = (seq: number, uuid?: string) => state(seq, uuid).version

it('doubts nothing before it has seen anything', () => {
  expect(new TopicKnowledge().doubt(version(1))).toBeNull()
})

it.each([
  [4, 'u4', 'behind'],
  [5, 'u5', null],
  [5, 'other', 'disputed'],
  [6, 'u6', null],
])('having seen 5.u5, of a register with %d.%s it says %s', (seq, uuid, doubt) => {
  const knowledge = new TopicKnowledge<number>()
  knowledge.adoptRegister(state(5), 1)
  expect(knowledge.doubt(version(seq, uuid))).toBe(doubt)
})

it('follows Postgres downwards when the read began after the state was known, and never believes that version again', () => {
  const knowledge = new TopicKnowledge<number>()
  knowledge.adoptRegister(state(10), 1)
  expect(knowledge.adoptPostgres(state(3), 2, 3, null)).toEqual(state(3))
  expect(knowledge.disowned).toBe('10.u10')
  expect(knowledge.doubt(version(10))).toBe('disowned')
  expect(knowledge.doubt(version(10, 'again'))).toBeNull()
})

it('keeps the newer state when a read of Postgres that overlapped it shows an older one', () => {
  const knowledge = new TopicKnowledge<number>()
  const began = 1
  knowledge.adoptPostgres(state(6), 2, 3, null)
  expect(knowledge.adoptPostgres(state(5), began, 4, null)).toEqual(state(6))
  expect(knowledge.disowned).toBe('')
})

it('takes the newer state of a read that overlapped', () => {
  const knowledge = new TopicKnowledge<number>()
  knowledge.adoptPostgres(state(6), 2, 3, null)
  expect(knowledge.adoptPostgres(state(7), 1, 4, null)).toEqual(state(7))
})

it('disowns what a register showed before Postgres denied it', () => {
  const knowledge = new TopicKnowledge<number>()
  expect(knowledge.adoptPostgres(state(3), 1, 2, version(10))).toEqual(state(3))
  expect(knowledge.doubt(version(10))).toBe('disowned')
})

it('takes a version back that Postgres shows again', () => {
  const knowledge = new TopicKnowledge<number>()
  knowledge.adoptPostgres(state(3), 1, 2, version(10))
  knowledge.adoptPostgres(state(10), 3, 4, null)
  expect(knowledge.doubt(version(10))).toBeNull()
})

it('does not go back to an older register', () => {
  const knowledge = new TopicKnowledge<number>()
  knowledge.adoptRegister(state(6), 1)
  knowledge.adoptRegister(state(5), 2)
  expect(knowledge.state).toEqual(state(6))
})

it('doubts a register older than a version it heard of, until Postgres was asked after that', () => {
  const knowledge = new TopicKnowledge<number>()
  knowledge.adoptRegister(state(5), 1)
  knowledge.announce(version(7), 3)
  expect(knowledge.doubt(version(5))).toBe('behind')
  knowledge.adoptPostgres(state(5), 2, 4, null)
  expect(knowledge.doubt(version(5))).toBe('behind')
  knowledge.adoptPostgres(state(5), 5, 6, null)
  expect(knowledge.doubt(version(5))).toBeNull()
})
