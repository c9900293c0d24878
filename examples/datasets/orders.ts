import { count, Dataset, Dimension, Measure, ratio, sum } from 'aggregraph'

@Dataset({ source: 'orders', time: 'ordered_at' })
export class Orders {
  @Dimension() country!: string | null
  @Measure(count()) orders!: number
  @Measure(count({ where: 'returned' })) returns!: number
  @Measure(sum('amount'), { unit: 'EUR' }) revenue!: number
  @Measure(ratio('returns', 'orders'), { format: 'percent' }) returnRate!: number | null
}
