import type { Fault } from '../errors'
import type { Declaration } from './declaration'
import { queryName } from './names'
import { readDeclaration } from './read-declaration'

/** Returns every fault of a declaration that can be told from the class alone. */
export function checkDeclaration(declaration: Declaration): readonly Fault[] {
  return readDeclaration(declaration).faults
}

/** What the schema adds to a class's name. */
const TYPE_SUFFIXES = [
  'Report',
  'Measures',
  'Point',
  'Comparison',
  'GroupConnection',
  'GroupEdge',
  'Group',
  'Other',
  'Where',
  'Having',
  'Order',
  'OrderField',
  'Dimension',
]

/** Returns the names of the GraphQL types that a class gives. */
function typeNamesOf(className: string): readonly string[] {
  return TYPE_SUFFIXES.map((suffix) => `${className}${suffix}`)
}

/** Returns the faults of datasets side by side: names that two of them, or the schema itself, would both take. */
export function checkTogether(declarations: readonly Declaration[]): readonly Fault[] {
  const faults: Fault[] = []
  const taken = new Map<string, string>([['datasets', 'the list of datasets']])
  for (const { className, file } of declarations) {
    const owner = file === undefined ? `class ${className}` : `class ${className} of ${file}`
    const names = [queryName(className), ...typeNamesOf(className)]
    const clash = names.find((name) => taken.has(name))
    if (clash !== undefined) {
      faults.push({
        subject: className,
        sentence: `The name "${clash}" in GraphQL is already that of ${taken.get(clash)}; rename the class${file === undefined ? '' : ` in ${file}`}.`,
      })
    }
    for (const name of names) if (!taken.has(name)) taken.set(name, owner)
  }
  return faults
}
