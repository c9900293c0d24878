import { enumValueName } from '../dataset/names'

/** An enum for type-graphql: GraphQL name → internal value. */
export function enumOf<T extends string>(values: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(values.map((value) => [enumValueName(value), value]))
}
