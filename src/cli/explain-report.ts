import type { Definition } from '../dataset/definition'
import { AggregraphError } from '../errors'
import { chooseRollup, faultsOf } from '../report/choose-rollup'
import { needOf } from '../report/part-plan'
import type { ReportRequest, SeriesRequest } from '../report/request'
import { readSubject, type Subject, shiftSubject } from '../report/subject'
import type { VersionedState } from '../storage/layouts'
import type { Granularity } from '../time/granularity'

/** A part of a report, as far as the choice of its rollup goes. */
interface AskedPart {
  readonly name: string
  readonly subject: Subject
  readonly by: readonly string[]
  readonly granularity: Granularity | null
}

/** A report's parts, as a tree of fields would name them. */
function listParts(subject: Subject, request: ReportRequest): AskedPart[] {
  const part = (name: string, by: readonly string[] = [], granularity: Granularity | null = null, of = subject) => ({
    name,
    subject: of,
    by,
    granularity,
  })
  const seriesOf = (prefix: string, series: readonly SeriesRequest[], by: readonly string[] = [], of = subject) =>
    series.map(({ granularity }) => part(`${prefix}series(granularity: ${granularity})`, by, granularity, of))
  return [
    ...(request.totals === null ? [] : [part('totals')]),
    ...seriesOf('', request.series),
    ...request.breakdowns.flatMap(({ by, series, compares, other }) => {
      const name = `breakdown(by: ${by.join(', ')})`
      return [
        part(name, by),
        ...seriesOf(`${name} → `, series, by),
        ...compares.map(({ to }) => part(`${name} → compare(to: ${to})`, by, null, shiftSubject(subject, to))),
        ...seriesOf(`${name} → other → `, other?.series ?? [], by),
      ]
    }),
    ...request.compares.flatMap(({ to, totals, series }) => {
      const [name, earlier] = [`compare(to: ${to})`, shiftSubject(subject, to)]
      return [
        ...(totals === null ? [] : [part(`${name} → totals`, [], null, earlier)]),
        ...seriesOf(`${name} → `, series, [], earlier),
      ]
    }),
  ]
}

function explainPart({ subject, by, granularity }: AskedPart): string[] {
  const { definition, state } = subject
  const need = needOf(subject, by, granularity)
  const rowsOf = (index: number) => state.rows[index] ?? 0
  const fitting = definition.rollups.filter((rollup) => faultsOf(rollup, need).length === 0)
  const taken = fitting.length === 0 ? null : chooseRollup(definition, state, need)
  const others = definition.rollups
    .filter((rollup) => rollup !== taken)
    .map((rollup) => {
      const faults = faultsOf(rollup, need)
      const reason = faults.length === 0 ? `it has no fewer rows, ${rowsOf(rollup.index)}` : faults.join(', and ')
      return `not ${rollup.name}: ${reason}`
    })
  const answer =
    taken === null
      ? 'no rollup fits: the answer is the error NO_ROLLUP'
      : `from ${taken.name}: ${fitting.length === 1 ? 'the only one that fits' : 'the smallest that fits'}, ${rowsOf(taken.index)} rows`
  return [answer, ...others]
}

/** Says of every part of a report which rollup answers it, and why each other does not. Lines of text. */
export function explainReport(
  definition: Definition,
  request: ReportRequest,
  state: VersionedState,
  clock: number,
): string[] {
  const refused = (error: unknown) => {
    if (error instanceof AggregraphError) return [`refused: ${error.message}`]
    throw error
  }
  try {
    const subject = readSubject(definition, request, state, { claims: {}, clock })
    return listParts(subject, request).flatMap((part) => {
      const lines = [`${definition.name} → ${part.name}`]
      try {
        lines.push(...explainPart(part).map((line) => `  ${line}`))
      } catch (error) {
        lines.push(...refused(error).map((line) => `  ${line}`))
      }
      return lines
    })
  } catch (error) {
    return [definition.name, ...refused(error).map((line) => `  ${line}`)]
  }
}
