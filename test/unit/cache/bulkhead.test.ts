import fc from 'fast-check'
import { Bulkhead } from '../../../src/cache/bulkhead'
import { OverloadedError } from '../../../src/errors'
import { defer, turn } from '../../contract/readings'

const MINUTE = 60_000

function create({ limit = 2, queue = 2, patienceMs = MINUTE } = {}) {
  const shed: string[] = []
  const onShed = (running: number, queued: number) => void shed.push(`${running} ran, ${queued} waited`)
  return { shed, bulkhead: new Bulkhead({ limit, queue, patienceMs, onShed }) }
}

it('lets as many run as it may, as many wait, and turns the rest away at once', async () => {
  const { bulkhead, shed } = create()
  const work = defer<string>()
  const running = Array.from({ length: 4 }, () => bulkhead.run(work.begin))
  await expect(bulkhead.run(work.begin)).rejects.toThrow(OverloadedError)
  expect([work.count(), bulkhead.running, bulkhead.queued]).toEqual([2, 2, 2])
  expect(shed).toEqual(['2 ran, 2 waited'])
  work.resolve('done')
  expect(await Promise.all(running)).toEqual(Array(4).fill('done'))
  expect([work.count(), bulkhead.running, bulkhead.queued]).toEqual([4, 0, 0])
})

it('gives a place to who has waited longest, and to nobody who comes meanwhile', async () => {
  const { bulkhead } = create({ limit: 1, queue: 5 })
  const order: string[] = []
  const gate = defer<void>()
  const add = (name: string, work: () => Promise<void> = turn) =>
    bulkhead.run(async () => {
      order.push(name)
      await work()
    })
  const all = [add('first', gate.begin), add('second'), add('third')]
  gate.resolve()
  // The place is given on as soon as the first ends: before or after that, who comes now comes last.
  await Promise.resolve()
  all.push(add('fourth'))
  await all[0]
  all.push(add('fifth'))
  await Promise.all(all)
  expect(order).toEqual(['first', 'second', 'third', 'fourth', 'fifth'])
  expect(bulkhead.running).toBe(0)
})

it('turns away who has waited too long, and keeps their place for nobody', async () => {
  const { bulkhead, shed } = create({ limit: 1, queue: 2, patienceMs: 1 })
  const work = defer<string>()
  const running = bulkhead.run(work.begin)
  const waiting = [bulkhead.run(work.begin), bulkhead.run(work.begin)]
  expect(await Promise.allSettled(waiting)).toMatchObject(
    Array(2).fill({ status: 'rejected', reason: expect.any(OverloadedError) }),
  )
  expect([work.count(), bulkhead.running, bulkhead.queued, shed.length]).toEqual([1, 1, 0, 2])
  work.resolve('done')
  expect(await running).toBe('done')
  expect(await bulkhead.run(async () => 'next')).toBe('next')
  expect(bulkhead.running).toBe(0)
})

it.each([
  ['rejects', () => Promise.reject(new Error('wrong'))],
  [
    'throws',
    () => {
      throw new Error('wrong')
    },
  ],
])('loses no place when work %s', async (_, work) => {
  const { bulkhead } = create({ limit: 1, queue: 3 })
  const outcomes = await Promise.allSettled([bulkhead.run(work), bulkhead.run(work), bulkhead.run(async () => 'next')])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  expect([bulkhead.running, bulkhead.queued]).toEqual([0, 0])
})

it('has room while one more would leave a place for others', async () => {
  const { bulkhead } = create({ limit: 3 })
  const work = defer<void>()
  const seen = [bulkhead.hasRoom]
  const all = []
  for (let i = 0; i < 4; i++) {
    all.push(bulkhead.run(work.begin))
    seen.push(bulkhead.hasRoom)
  }
  expect(seen).toEqual([true, true, false, false, false])
  work.resolve()
  await Promise.all(all)
  expect(bulkhead.hasRoom).toBe(true)
})

it('never runs more than it may, and is empty when all is over, whatever comes and fails', async () => {
  const job = fc.record({ turns: fc.nat(4), isWrong: fc.boolean(), pause: fc.nat(2) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(job, { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(6),
      async (jobs, limit, queue) => {
        const { bulkhead, shed } = create({ limit, queue })
        let [running, most, done] = [0, 0, 0]
        const all = []
        for (const { turns, isWrong, pause } of jobs) {
          const work = async () => {
            running += 1
            most = Math.max(most, running)
            for (let i = 0; i < turns; i++) await turn()
            running -= 1
            done += 1
            if (isWrong) throw new Error('wrong')
          }
          all.push(bulkhead.run(work).catch(() => undefined))
          expect(bulkhead.queued).toBeLessThanOrEqual(queue)
          for (let i = 0; i < pause; i++) await turn()
        }
        await Promise.all(all)
        expect(most).toBeLessThanOrEqual(limit)
        expect(done + shed.length).toBe(jobs.length)
        expect([bulkhead.running, bulkhead.queued]).toEqual([0, 0])
      },
    ),
    { numRuns: 100, seed: 3 },
  )
})
