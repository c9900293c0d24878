import type { DataSource } from 'typeorm'
import type { Config } from '../config'
import type { Declaration } from '../dataset/declaration'
import type { Definition } from '../dataset/definition'
import { adviseOnSize } from '../dataset/rollup-size'
import { DeclarationError } from '../errors'
import { inspectCapture } from '../storage/inspect-capture'
import { inspectPostgres } from '../storage/inspect-postgres'
import { inspectSource } from '../storage/inspect-source'
import { type LayoutReport, readLayoutReports } from '../storage/layout-reports'
import { isUnavailable } from '../storage/postgres-errors'
import { readDefinitions } from '../storage/read-definitions'
import { layoutId } from '../storage/rollup-table'
import { checkCapture, checkSource } from './check-source'
import { describeFailure } from './failure'
import { advice, type Finding, fault, ok } from './finding'

function checkDataset({ name }: Definition, report: LayoutReport | undefined): Finding[] {
  const findings: Finding[] = []
  if (report?.isReady === true) {
    findings.push(ok(name, `built, version ${report.version.split('.')[0]}, data as of ${report.dataAsOf}.`))
  } else {
    findings.push(advice(name, `not built: the next start builds it, or "aggregraph refresh ${name}" does.`))
  }
  if (report !== undefined && report.lastError !== null) {
    findings.push(fault(name, `its last refresh failed: ${report.lastError}`))
  }
  if (report !== undefined) findings.push(...adviseOnSize(report).map((sentence) => advice(name, sentence)))
  return findings
}

/** What is wrong with the datasets, when loading or checking them failed for that. */
export function findingsOf(error: unknown): readonly Finding[] {
  if (!(error instanceof DeclarationError)) throw error
  return error.faults.map(({ subject, sentence }) => fault(subject, sentence))
}

/** What a look at something of a dataset tells, or what kept it from being looked at. */
async function lookAt(
  name: string,
  what: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look()
  } catch (error) {
    if (isUnavailable(error)) throw error
    return [fault(name, `${what} cannot be looked at: ${describeFailure(error, false)}`)]
  }
}

/** Checks the declarations against the database, what is built of them, and what keeping it current takes. */
export async function checkDatasets(
  dataSource: DataSource,
  declarations: readonly Declaration[],
  { statementTimeoutSeconds: seconds }: Config,
): Promise<readonly Finding[]> {
  try {
    const definitions = await readDefinitions(dataSource, declarations)
    const reports = await readLayoutReports(dataSource)
    const { user } = await inspectPostgres(dataSource)
    const findings: Finding[] = []
    for (const definition of definitions) {
      const { name } = definition
      const report = reports.get(layoutId(definition))
      findings.push(
        ...checkDataset(definition, report),
        ...(await lookAt(name, 'its source', async () =>
          checkSource(definition, await inspectSource(dataSource, definition, report?.dataTo ?? null, seconds)),
        )),
        ...(await lookAt(name, 'the triggers on its source', async () =>
          checkCapture(definition, await inspectCapture(dataSource, definition, seconds), user),
        )),
      )
    }
    return findings
  } catch (error) {
    return findingsOf(error)
  }
}
