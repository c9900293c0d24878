import { BusyQuestions } from '../../../src/cache/busy-questions'
import { ask } from '../../contract/readings'

const unused = () => Promise.reject(new Error('must not load'))
const reading = (text: string) => ask(unused, { text })

function create(asked: readonly string[]) {
  const busy = new BusyQuestions()
  for (const text of asked) busy.count(text, reading(text))
  return busy
}

const texts = (readings: readonly { question: { text: string } }[]) => readings.map(({ question }) => question.text)

it('gives the questions of a topic that were asked more than once, the busiest first', () => {
  const busy = create(['a', 'b', 'b', 'c', 'c', 'c'])
  busy.count('other', { ...reading('other'), question: { ...reading('other').question, topic: 'layout 2' } })
  expect(texts(busy.takeBusiest('layout'))).toEqual(['c', 'b'])
})

it('forgets by and by what is not asked any more', () => {
  const busy = create(['a', 'a', 'a', 'a', 'b', 'b'])
  expect(['layout', 'layout', 'layout', 'layout'].map((topic) => texts(busy.takeBusiest(topic)))).toEqual([
    ['a', 'b'],
    ['a'],
    [],
    [],
  ])
  busy.count('b', reading('b'))
  busy.count('b', reading('b'))
  expect(texts(busy.takeBusiest('layout'))).toEqual(['b'])
})

it('gives no more than 32, and remembers no more than a thousand', () => {
  const busy = new BusyQuestions()
  for (let i = 0; i < 3_000; i++) {
    busy.count(`${i}`, reading(`${i}`))
    busy.count(`${i}`, reading(`${i}`))
  }
  expect(busy.takeBusiest('layout')).toHaveLength(32)
  const oldest = Number(busy.pick(0)?.question.text)
  const newest = Number(busy.pick(0.999_999)?.question.text)
  expect(Math.abs(newest - oldest)).toBe(999)
})

it('picks any question, and none where none was asked', () => {
  expect(new BusyQuestions().pick(0)).toBeNull()
  const busy = create(['a', 'b'])
  expect(new Set([0, 0.499, 0.5, 0.999].map((random) => busy.pick(random)?.question.text))).toEqual(new Set(['a', 'b']))
})

it('loads a question the way in which it was asked last', () => {
  const busy = new BusyQuestions()
  const [first, last] = [reading('a'), reading('a')]
  busy.count('a', first)
  busy.count('a', last)
  expect(busy.takeBusiest('layout')).toEqual([last])
  expect(busy.pick(0)).toBe(last)
})
