import { DeclarationError } from '../errors'
import type { DatasetOptions, Declaration, DeclaredDimension, DeclaredMeasure } from './declaration'

export type RecordedMember =
  | { readonly kind: 'dimension'; readonly member: DeclaredDimension }
  | { readonly kind: 'measure'; readonly member: DeclaredMeasure }

interface Recording {
  /** What `@Dataset` was given, unchecked; null when the class has no `@Dataset`. */
  dataset: { readonly options: DatasetOptions } | null
  readonly members: RecordedMember[]
}

/** What the decorators said of each class. It lives as long as the class does. */
const recordings = new WeakMap<object, Recording>()

function recordingOf(cls: object): Recording {
  const existing = recordings.get(cls)
  if (existing !== undefined) return existing
  const recording: Recording = { dataset: null, members: [] }
  recordings.set(cls, recording)
  return recording
}

/** Notes what `@Dataset` said of a class. */
export function recordDataset(cls: object, options: DatasetOptions): void {
  recordingOf(cls).dataset = { options }
}

/** Notes what a member's decorator said. `prototype` is what a decorator is given for a field that is not static. */
export function recordMember(prototype: object, recorded: RecordedMember): void {
  recordingOf(prototype.constructor).members.push(recorded)
}

/** The class and its ancestors, oldest first. */
function lineage(cls: object): readonly object[] {
  const parent: unknown = Object.getPrototypeOf(cls)
  return typeof parent === 'function' ? [...lineage(parent), cls] : [cls]
}

/** Members in the order of the class bodies, oldest first; a class that declares a name again replaces it in its place. */
function membersOf(cls: object): readonly RecordedMember[] {
  let members: readonly RecordedMember[] = []
  for (const ancestor of lineage(cls)) {
    const own = recordings.get(ancestor)?.members ?? []
    const inherited = new Set(members.map(({ member }) => member.name))
    const replaced = members.flatMap((old) => {
      const again = own.filter(({ member }) => member.name === old.member.name)
      return again.length > 0 ? again : [old]
    })
    members = [...replaced, ...own.filter(({ member }) => !inherited.has(member.name))]
  }
  return members
}

/**
 * Returns what the decorators recorded of a class, or undefined when it carries no `@Dataset` of its own. Dimensions and
 * measures are inherited; options are not, so a class that only gathers members is no dataset.
 */
export function declarationOf(cls: unknown): Declaration | undefined {
  if (typeof cls !== 'function') return undefined
  const dataset = recordings.get(cls)?.dataset ?? null
  if (dataset === null) return undefined
  const members = membersOf(cls)
  return {
    className: cls.name,
    options: dataset.options,
    dimensions: members.flatMap((recorded) => (recorded.kind === 'dimension' ? [recorded.member] : [])),
    measures: members.flatMap((recorded) => (recorded.kind === 'measure' ? [recorded.member] : [])),
  }
}

/** Throws a fault when a member's decorator was put on something other than a field, or written without its call. */
export function assertField(decorator: string, target: unknown, key: unknown): asserts target is object {
  if (typeof key === 'object' && key !== null) {
    throw new DeclarationError([
      {
        subject: `@${decorator}`,
        sentence: 'Decorators are compiled the standard way here; set "experimentalDecorators": true.',
      },
    ])
  }
  if (typeof target === 'function') {
    throw new DeclarationError([
      {
        subject: `${target.name}.${String(key)}`,
        sentence: `@${decorator} is for fields of the class, and this one is static.`,
      },
    ])
  }
  if (typeof key !== 'string') {
    throw new DeclarationError([
      {
        subject: `@${decorator}`,
        sentence: 'A dimension or measure needs a name; a symbol or a private field has none.',
      },
    ])
  }
}

/** Throws a fault when a decorator was written without its parentheses, and was given what it should decorate. */
export function assertCalled(decorator: string, argument: unknown): void {
  const isClass = typeof argument === 'function'
  const isPrototype = typeof argument === 'object' && argument !== null && Object.hasOwn(argument, 'constructor')
  if (isClass || isPrototype) {
    const subject = isClass ? argument.name : String(argument.constructor.name)
    throw new DeclarationError([
      { subject, sentence: `@${decorator} is a call: write @${decorator}(…), with its parentheses.` },
    ])
  }
}
