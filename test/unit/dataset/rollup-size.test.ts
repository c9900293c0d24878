import { adviseOnSize } from '../../../src/dataset/rollup-size'

it.each([
  [100, 79, []],
  [100, 80, ['80 %']],
  [1000, 999, ['100 %']],
  [3, 5, ['167 %']],
  [0, 0, []],
  [null, 0, []],
])('of %s source rows, %s are advised on: %j', (sourceRows, rows, shares) => {
  const rollups = [
    { name: 'hour × country', rows },
    { name: 'month', rows: 1 },
  ]
  expect(adviseOnSize({ sourceRows, rollups })).toEqual(
    shares.map(
      (share) =>
        `the rollup hour × country keeps ${share} of the source's rows: give it fewer dimensions or a coarser granularity.`,
    ),
  )
})
