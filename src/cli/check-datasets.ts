import type { DataSource } from 'typeorm'
import type { Declaration } from '../dataset/declaration'
import type { Definition } from '../dataset/definition'
import { DeclarationError } from '../errors'
import { type LayoutReport, readLayoutReports } from '../storage/layout-reports'
import { readDefinitions } from '../storage/read-definitions'
import { layoutId } from '../storage/rollup-table'
import { advice, type Finding, fault, ok } from './finding'

/** A rollup that keeps a larger share of the source's rows saves little. */
const LARGEST_SHARE = 0.8

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
  const { sourceRows } = report ?? {}
  for (const rollup of report?.rollups ?? []) {
    if (!sourceRows || rollup.rows <= sourceRows * LARGEST_SHARE) continue
    const share = Math.round((rollup.rows / sourceRows) * 100)
    findings.push(
      advice(
        name,
        `the rollup ${rollup.name} keeps ${share} % of the source's rows: give it fewer dimensions or a coarser granularity.`,
      ),
    )
  }
  return findings
}

/** What is wrong with the datasets, when loading or checking them failed for that. */
export function findingsOf(error: unknown): readonly Finding[] {
  if (!(error instanceof DeclarationError)) throw error
  return error.faults.map(({ subject, sentence }) => fault(subject, sentence))
}

/** Checks the declarations against the database, and what is built of them. */
export async function checkDatasets(
  dataSource: DataSource,
  declarations: readonly Declaration[],
): Promise<readonly Finding[]> {
  try {
    const definitions = await readDefinitions(dataSource, declarations)
    const reports = await readLayoutReports(dataSource)
    return definitions.flatMap((definition) => checkDataset(definition, reports.get(layoutId(definition))))
  } catch (error) {
    return findingsOf(error)
  }
}
