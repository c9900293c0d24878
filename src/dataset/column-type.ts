/** Type of a column of the source, as far as Aggregraph tells them apart. */
export type ColumnType =
  | 'text'
  | 'uuid'
  | 'enum'
  | 'boolean'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'real'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamptz'

/** Dimension types. `text`, `uuid` and `enum` values are kept and filtered as text. */
export type DimensionType = 'text' | 'uuid' | 'enum' | 'integer' | 'boolean' | 'date'

/** GraphQL type of a measure's value. */
export type ValueType = 'SafeInt' | 'Float' | 'String' | 'Date' | 'DateTime'
