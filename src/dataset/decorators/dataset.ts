import { DeclarationError } from '../../errors'
import type { DatasetOptions } from '../declaration'
import { assertCalled, recordDataset } from '../recorded'

/**
 * Declares the class as a dataset: where its rows come from, how finely they are kept, and which rollups hold them. It
 * only records; the declaration is checked against the class and the database when the server starts.
 */
export function Dataset(options: DatasetOptions): ClassDecorator {
  assertCalled('Dataset', options)
  return (target) => {
    if (typeof target !== 'function') {
      throw new DeclarationError([{ subject: '@Dataset', sentence: '@Dataset is for classes.' }])
    }
    recordDataset(target, options)
  }
}
