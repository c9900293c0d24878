import type { Definition } from '../dataset/definition'
import { BadInputError, NoRollupError } from '../errors'
import { chooseRollup, faultsOf } from '../report/choose-rollup'
import { needOf, planGroups } from '../report/part-plan'
import type { ReportRequest, SeriesRequest } from '../report/request'
import { readSubject, type Subject, shiftSubject } from '../report/subject'
import type { VersionedState } from '../storage/layouts'
import type { Slice } from '../storage/part'
import type { Granularity } from '../time/granularity'

/** A part of a report, as far as the choice of its rollup goes. */
interface AskedPart {
  readonly name: string
  readonly subject: Subject
  readonly by: readonly string[]
  readonly granularity: Granularity | null
  /** Whether it reads only the groups of a page, which are not known beforehand. */
  readonly isOfPage: boolean
}

/** Counts the rows of a slice; null when that takes too long. */
export type CountRows = (slice: Slice) => Promise<number | null>

/** A report's parts, as a tree of fields would name them. */
function listParts(subject: Subject, request: ReportRequest): AskedPart[] {
  const part = (name: string, of: Partial<AskedPart> = {}): AskedPart => ({
    ...{ name, subject, by: [], granularity: null, isOfPage: false },
    ...of,
  })
  const seriesOf = (prefix: string, series: readonly SeriesRequest[], of: Partial<AskedPart> = {}) =>
    series.map(({ granularity }) => part(`${prefix}series(granularity: ${granularity})`, { ...of, granularity }))
  return [
    ...(request.totals === null ? [] : [part('totals')]),
    ...seriesOf('', request.series),
    ...request.breakdowns.flatMap(({ by, series, compares, other }) => {
      const name = `breakdown(by: ${by.join(', ')})`
      const page = { by, isOfPage: true }
      return [
        part(name, { by }),
        ...seriesOf(`${name} → `, series, page),
        ...compares.map(({ to }) =>
          part(`${name} → compare(to: ${to})`, { ...page, subject: shiftSubject(subject, to) }),
        ),
        ...seriesOf(`${name} → other → `, other?.series ?? [], { by }),
      ]
    }),
    ...request.compares.flatMap(({ to, totals, series }) => {
      const name = `compare(to: ${to})`
      const earlier = { subject: shiftSubject(subject, to) }
      return [
        ...(totals === null ? [] : [part(`${name} → totals`, earlier)]),
        ...seriesOf(`${name} → `, series, earlier),
      ]
    }),
  ]
}

/** The rows of the rollup that a part reads, whatever it makes of them. */
function sliceOf({ subject, by, granularity }: AskedPart): Slice {
  return planGroups(subject, by, [], [], granularity === null ? null : { granularity, boundaries: [] }).part.slice
}

async function explainPart(part: AskedPart, countRows: CountRows): Promise<string[]> {
  const { subject, by, granularity, isOfPage } = part
  const { definition, state } = subject
  const need = needOf(subject, by, granularity)
  const rowsOf = (index: number) => state.rows[index] ?? 0
  const judged = definition.rollups.map((rollup) => ({ rollup, faults: faultsOf(definition, state, rollup, need) }))
  const fitting = judged.filter(({ faults }) => faults.length === 0)
  const taken = fitting.length === 0 ? null : chooseRollup(definition, state, need)
  const others = judged
    .filter(({ rollup }) => rollup !== taken)
    .map(({ rollup, faults }) => {
      const reason = faults.length === 0 ? `it has no fewer rows, ${rowsOf(rollup.index)}` : faults.join(', and ')
      return `not ${rollup.name}: ${reason}`
    })
  if (taken === null) return ['no rollup fits: the answer is the error NO_ROLLUP', ...others]
  const counted = await countRows(sliceOf(part))
  const all = `its ${rowsOf(taken.index)} rows`
  const read =
    counted === null
      ? `reads more of ${all} than could be counted in time`
      : `reads ${isOfPage ? 'at most ' : ''}${counted} of ${all}`
  const why = fitting.length === 1 ? 'the only one that fits' : 'the smallest that fits'
  return [`from ${taken.name}: ${why}; ${read}`, ...others]
}

/** Says of every part of a report which rollup answers it, how many rows it reads, and why each other does not. Lines of text. */
export async function explainReport(
  definition: Definition,
  request: ReportRequest,
  state: VersionedState,
  clock: number,
  countRows: CountRows,
): Promise<string[]> {
  const refused = (error: unknown) => {
    if (error instanceof BadInputError || error instanceof NoRollupError) return [`  refused: ${error.message}`]
    throw error
  }
  try {
    const subject = readSubject(definition, request, state, { claims: {}, clock })
    const lines: string[] = []
    for (const part of listParts(subject, request)) {
      const explained = await explainPart(part, countRows).then(indent, refused)
      lines.push(`${definition.name} → ${part.name}`, ...explained)
    }
    return lines
  } catch (error) {
    return [definition.name, ...refused(error)]
  }
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
