import { CircuitBreaker } from '../../../src/cache/circuit-breaker'

function create() {
  let now = 1_000
  const changes: string[] = []
  const breaker = new CircuitBreaker(
    () => now,
    () => 1,
    ({ opened, forMs }) => changes.push(opened ? `opened for ${forMs}` : 'closed'),
  )
  const pass = (milliseconds: number) => {
    now += milliseconds
  }
  const repeat = (times: number, act: () => void) => {
    for (let i = 0; i < times; i++) act()
  }
  return { breaker, changes, pass, repeat }
}

it('opens after five failures', () => {
  const { breaker, changes, repeat } = create()
  repeat(4, () => breaker.fail())
  expect(breaker.admits()).toBe(true)
  breaker.fail()
  expect(breaker.admits()).toBe(false)
  expect(changes).toEqual(['opened for 500'])
})

it('stays closed while most calls succeed', () => {
  const { breaker, repeat } = create()
  repeat(200, () => {
    breaker.fail()
    breaker.succeed()
    breaker.succeed()
  })
  expect(breaker.admits()).toBe(true)
})

it('forgets failures that are older than its window', () => {
  const { breaker, pass, repeat } = create()
  repeat(4, () => breaker.fail())
  pass(10_001)
  breaker.fail()
  expect(breaker.admits()).toBe(true)
})

it('lets one call probe after the pause, and closes when it succeeds', () => {
  const { breaker, changes, pass, repeat } = create()
  repeat(5, () => breaker.fail())
  pass(499)
  expect(breaker.admits()).toBe(false)
  pass(1)
  expect([breaker.admits(), breaker.admits()]).toEqual([true, false])
  breaker.succeed()
  expect([breaker.admits(), breaker.admits()]).toEqual([true, true])
  expect(changes).toEqual(['opened for 500', 'closed'])
})

it('pauses twice as long after each probe that fails, up to five seconds, and begins anew after a success', () => {
  const { breaker, changes, pass, repeat } = create()
  repeat(5, () => breaker.fail())
  for (let i = 0; i < 5; i++) {
    pass(5_000)
    expect(breaker.admits()).toBe(true)
    breaker.fail()
  }
  breaker.reset()
  repeat(5, () => breaker.fail())
  const pauses = [500, 1_000, 2_000, 4_000, 5_000, 5_000]
  expect(changes).toEqual([...pauses.map((pause) => `opened for ${pause}`), 'closed', 'opened for 500'])
})
