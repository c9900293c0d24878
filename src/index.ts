/** What `import … from 'aggregraph'` gives: everything a dataset is declared with. */
export type {
  DatasetOptions,
  DimensionOptions,
  MeasureFormat,
  MeasureOptions,
  MeasureSpec,
  RefreshOptions,
  RollupOptions,
  SourceExpression,
  SourceOptions,
  WhereOption,
} from './dataset/declaration'
export { Dataset } from './dataset/decorators/dataset'
export { Dimension } from './dataset/decorators/dimension'
export { Measure } from './dataset/decorators/measure'
export { avg } from './dataset/measures/avg'
export { count } from './dataset/measures/count'
export { countDistinct } from './dataset/measures/count-distinct'
export { type LastOptions, last } from './dataset/measures/last'
export { max } from './dataset/measures/max'
export { min } from './dataset/measures/min'
export { quantile } from './dataset/measures/quantile'
export { ratio } from './dataset/measures/ratio'
export { sum } from './dataset/measures/sum'
export type { BaseGranularity, Granularity } from './time/granularity'
