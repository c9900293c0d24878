import { avg, count, Dataset, Dimension, Measure, max, sum } from '../../src/index'
import type { TestDatabase } from './database'

/** A dataset that only changes when it is told to. */
@Dataset({ description: 'Orders of a shop', source: 'orders', time: 'at', refresh: 'manual' })
export class Orders {
  @Dimension() country!: string | null
  @Dimension() paid!: boolean
  @Measure(count()) orders!: number
  @Measure(sum('amount')) revenue!: number
  @Measure(avg('amount')) averageAmount!: number | null
  @Measure(max('amount')) largest!: number | null
}

/** Creates the table of the orders: 48 hours with an order each, of 1 to 48. */
export async function createShop(database: Pick<TestDatabase, 'query'>): Promise<void> {
  await database.query(
    'CREATE TABLE orders (at timestamptz NOT NULL, country text, paid boolean NOT NULL, amount integer)',
  )
  await database.query(`INSERT INTO orders
    SELECT '2026-03-01 00:30Z'::timestamptz + i * interval '1 hour', (ARRAY['ES', 'FR', 'PT', NULL])[i % 4 + 1], i % 3 = 0, i + 1
    FROM generate_series(0, 47) AS i`)
}

/** Adds one order to the first hour. */
export async function placeOrder(database: Pick<TestDatabase, 'query'>): Promise<void> {
  await database.query(`INSERT INTO orders VALUES ('2026-03-01 00:30Z', 'ES', true, 1000)`)
}
