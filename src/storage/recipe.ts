import type { LayoutDefinition } from '../dataset/definition'

/** Raised when a recipe says what an older release would not understand. */
export const RECIPE_FORMAT = 1

/** Where the column goes in the SQL that merges a state. No declaration takes part in that SQL. */
const PLACE = '{state}'

/** A layout's definition as the database keeps it, so that every process, of any release, can keep the layout current. */
export function writeRecipe(definition: LayoutDefinition): string {
  const { hash, className, name, sourceSql, timeSql, timeColumn, timeType, timezone, granularity } = definition
  const { dimensions, states, finite, rollups, scope, refresh, capture, sourceKeeps } = definition
  const content = {
    ...{ hash, className, name, sourceSql, timeSql, timeColumn, timeType, timezone, granularity },
    ...{ dimensions, finite, rollups, scope, refresh, capture, sourceKeeps },
    states: states.map((state) => ({ ...state, merge: state.merge(PLACE) })),
  }
  return JSON.stringify({ format: RECIPE_FORMAT, definition: content })
}

type Written = Omit<LayoutDefinition, 'states'> & {
  readonly states: readonly (Omit<LayoutDefinition['states'][number], 'merge'> & { readonly merge: string })[]
}

/** Reads a recipe; null when a newer release wrote it in a form that this one does not know. */
export function readRecipe(value: unknown): LayoutDefinition | null {
  // Written by the function above, by this release or another.
  const { format, definition } = value as { readonly format: number; readonly definition: Written }
  if (format > RECIPE_FORMAT) return null
  return {
    ...definition,
    states: definition.states.map((state) => ({
      ...state,
      merge: (column) => state.merge.replaceAll(PLACE, () => column),
    })),
  }
}
