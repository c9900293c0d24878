import type { TestDatabase } from '../database'
import type { TestServer } from '../server'
import { agree, REFUSED } from './agree'
import { measureOf, type OracleDataset } from './dataset'
import { expectedGroups, expectedPage, expectedReport, sceneOf } from './expected'
import { isKept } from './order'
import { type Question, questionText } from './question'

type Measures = Readonly<Record<string, unknown>>
interface Page {
  readonly nodes: readonly { readonly measures: Measures }[]
  readonly other: { readonly measures: Measures } | null
  readonly pageInfo: { readonly endCursor: string | null }
}
interface Report {
  readonly totals: Measures | null
  readonly breakdown?: Page | null
}

const MOST_PAGES = 4

export interface Bench {
  readonly database: Pick<TestDatabase, 'query'>
  readonly server: Pick<TestServer, 'ask'>
  readonly dataset: OracleDataset
}

/** Asks once and compares the answer with what plain SQL says; errors must be those of parts that no rollup covers. */
async function askAndCompare({ server, dataset }: Bench, text: string, expected: object): Promise<Report> {
  const { data, errors = [] } = await server.ask<Record<string, Report | null>>(text)
  const report = data?.[dataset.query]
  if (report === null || report === undefined) throw new Error(`There is no answer: ${JSON.stringify(errors)}`)
  const refused = agree(expected, report, dataset.query)
  for (const { extensions, path = [], message } of errors) {
    if (extensions.code !== 'NO_ROLLUP' || !refused.includes(path.join('.'))) {
      throw new Error(`${path.join('.')}: ${extensions.code}: ${message}`)
    }
  }
  const told = new Set(errors.map(({ path = [] }) => path.join('.')))
  const silent = refused.find((path) => !told.has(path))
  if (silent !== undefined) throw new Error(`${silent} is null without an error`)
  return report
}

/** Throws unless the parts add up to the whole, for every measure that adds up, by the answer's own numbers. */
function checkSum({ dataset }: Bench, question: Question, parts: readonly Measures[], whole: Measures, what: string) {
  for (const name of question.measures) {
    if (measureOf(dataset, name).isAdditive !== true) continue
    const values = parts.map((part) => Number(part[name]))
    const sum = values.reduce((total, value) => total + value, 0)
    const slack = Number.isInteger(sum) ? 0 : 1e-9 * values.reduce((total, value) => total + Math.abs(value), 1)
    if (!(Math.abs(sum - Number(whole[name])) <= slack)) {
      throw new Error(`${what} of ${name} is ${sum}, but its total is ${whole[name]}`)
    }
  }
}

/** Asks a question, walks the pages of its breakdown, and throws where an answer differs from plain SQL over the source. */
async function answerAndCompare(bench: Bench, question: Question): Promise<void> {
  const { database, dataset } = bench
  const { breakdown } = question
  const scene = await sceneOf(database, dataset, question)
  const groups = breakdown === null ? null : await expectedGroups(scene, breakdown)
  const report = await expectedReport(scene)
  const pageAt = async (offset: number) => {
    if (breakdown === null) return {}
    return { breakdown: groups === null ? REFUSED : await expectedPage(scene, breakdown, groups, offset) }
  }
  const text = questionText(dataset.query, question)
  const answer = await askAndCompare(bench, text, { ...report, ...(await pageAt(0)) })
  if (answer.totals !== null) {
    for (const [index, series] of question.series.entries()) {
      // Null where no rollup covers the series.
      const points: unknown = Reflect.get(answer, `s${index}`)
      if (!Array.isArray(points)) continue
      const measures = points.map((point) => point.measures)
      checkSum(bench, question, measures, answer.totals, `The sum of s${index} by ${series.unit}`)
    }
  }
  if (breakdown === null || groups === null) return
  const seen: Measures[] = []
  let page = answer.breakdown ?? null
  const kept = groups.filter((group) => isKept(breakdown.having, group)).length
  for (let number = 1; page !== null; number += 1) {
    seen.push(...page.nodes.map(({ measures }) => measures))
    const rest = page.other === null ? [] : [page.other.measures]
    if (answer.totals !== null) checkSum(bench, question, [...seen, ...rest], answer.totals, `Page ${number} and other`)
    const offset = number * breakdown.first
    if (number === MOST_PAGES || offset >= kept) return
    const next = questionText(dataset.query, question, page.pageInfo.endCursor)
    page = (await askAndCompare(bench, next, await pageAt(offset))).breakdown ?? null
  }
}

/** Like a property of fast-check: throws with the whole question, so that a failure can be asked again by hand. */
export async function checkQuestion(bench: Bench, question: Question): Promise<void> {
  try {
    await answerAndCompare(bench, question)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const text = questionText(bench.dataset.query, question)
    throw new Error(`${reason}\nasked at ${new Date(question.now).toISOString()}:\n${text}`, { cause: error })
  }
}
