import type { Definition } from '../dataset/definition'
import { type RefreshOptions, type RefreshOutcome, type RefreshProgress, refreshDataset } from '../refresh/refresher'
import type { Services } from '../services'
import type { Progress } from './progress'

/** Refreshes datasets one after another, showing how far each is. */
export async function refreshDatasets(
  { dataSource, register }: Services,
  definitions: readonly Definition[],
  progress: Progress,
  options: Pick<RefreshOptions, 'full' | 'range'> = {},
): Promise<readonly RefreshOutcome[]> {
  const outcomes: RefreshOutcome[] = []
  try {
    for (const definition of definitions) {
      const onProgress = ({ dataset, ...step }: RefreshProgress) => progress.show({ task: dataset, ...step })
      outcomes.push(await refreshDataset(definition, { dataSource, register, onProgress, ...options }))
    }
  } finally {
    progress.stop()
  }
  return outcomes
}
