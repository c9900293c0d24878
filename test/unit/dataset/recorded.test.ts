import { declarationOf } from '../../../src/dataset/recorded'
import { avg, count, Dataset, Dimension, Measure, max, min, ratio, sum } from '../../../src/index'

abstract class Located {
  @Dimension({ column: 'city_name' }) city!: string
  @Measure(count()) rows!: number
}

@Dataset({ source: 'sales', time: 'sold_at' })
class Sales extends Located {
  @Dimension({ label: 'Shop' }) shop!: string
  @Measure(sum({ sql: 'price * quantity' }, { where: 'paid' }), { unit: 'EUR' }) revenue!: number
  @Dimension({ column: 'town' }) declare city: string
}

class Undecorated extends Sales {}

@Dataset({ source: 'returns', time: 'returned_at' })
class Returns extends Sales {
  @Measure(ratio('rows', 'rows')) share!: number | null
}

it('records members in the order of the class, those of ancestors first, the newest where a name comes again', () => {
  expect(declarationOf(Sales)).toEqual({
    className: 'Sales',
    options: { source: 'sales', time: 'sold_at' },
    dimensions: [
      { name: 'city', options: { column: 'town' } },
      { name: 'shop', options: { label: 'Shop' } },
    ],
    measures: [
      { name: 'rows', spec: { kind: 'count' }, options: {} },
      {
        name: 'revenue',
        spec: { kind: 'sum', of: { sql: 'price * quantity' }, where: 'paid' },
        options: { unit: 'EUR' },
      },
    ],
  })
})

it('lets a dataset build on another without changing it', () => {
  expect(declarationOf(Returns)?.options.source).toBe('returns')
  expect(declarationOf(Returns)?.measures.map(({ name }) => name)).toEqual(['rows', 'revenue', 'share'])
  expect(declarationOf(Sales)?.measures.map(({ name }) => name)).toEqual(['rows', 'revenue'])
})

it.each([
  ['a class that only inherits @Dataset', Undecorated],
  ['a class without @Dataset', Located],
  ['a plain class', class {}],
  ['a function', () => 1],
  ['an object', {}],
  ['nothing', null],
])('%s is no dataset', (_name, value) => {
  expect(declarationOf(value)).toBeUndefined()
})

it('leaves no trace on instances', () => {
  expect(Object.keys(Sales.prototype)).toEqual([])
})

it('makes measures that say what they compute', () => {
  expect([
    count({ where: 'x' }),
    sum('a'),
    avg('a'),
    min('a', { where: 'x' }),
    max({ sql: 'a' }),
    ratio('a', 'b'),
  ]).toEqual([
    { kind: 'count', where: 'x' },
    { kind: 'sum', of: 'a' },
    { kind: 'avg', of: 'a' },
    { kind: 'min', of: 'a', where: 'x' },
    { kind: 'max', of: { sql: 'a' } },
    { kind: 'ratio', numerator: 'a', denominator: 'b' },
  ])
})
