import { SourceMap } from 'node:module'

/** A file of the user's that could not be loaded: where, and why. */
export class ModuleFault extends Error {
  readonly file: string
  /** Line of the file as it was written, where known. */
  readonly line: number | null

  constructor(file: string, line: number | null, sentence: string, cause?: unknown) {
    super(sentence, { cause })
    this.file = file
    this.line = line
  }
}

/** A compiled file, kept for the positions in its errors. */
export interface CompiledModule {
  readonly code: string
  /** Source map, version 3, as JSON. */
  readonly map: string
}

const UNSUPPORTED: readonly (readonly [RegExp, string])[] = [
  [/await is only valid/, 'Top-level await is not supported in a file of datasets: a declaration waits for nothing.'],
  [/import\.meta/, 'Of import.meta only url, filename and dirname are supported in a file of datasets.'],
]

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Finds the first place in a stack that lies in one of the modules, as a line of the file that was written. */
function findPlace(stack: string, modules: ReadonlyMap<string, CompiledModule>): { file: string; line: number } | null {
  const files = [...modules.keys()].sort((left, right) => right.length - left.length).map(escapeForPattern)
  const match = new RegExp(`(${files.join('|')}):([0-9]+)(?::([0-9]+))?`).exec(stack)
  const module = modules.get(match?.[1] ?? '')
  if (match === null || module === undefined) return null
  const generated = { line: Number(match[2]) - 1, column: Number(match[3] ?? 1) - 1 }
  const entry = new SourceMap(JSON.parse(module.map)).findEntry(generated.line, generated.column)
  return 'originalLine' in entry ? { file: match[1] ?? '', line: entry.originalLine + 1 } : null
}

function sentenceOf(thrown: unknown): string {
  const error = typeof thrown === 'object' && thrown !== null ? thrown : { message: thrown }
  // What follows the first line is for those who know Node's loader: the stack of requires.
  const message = String('message' in error ? error.message : thrown).split('\n')[0] ?? ''
  const known = UNSUPPORTED.find(([pattern]) => pattern.test(message))
  const name = 'name' in error && typeof error.name === 'string' ? error.name : 'Error'
  return known?.[1] ?? `The file could not be loaded: ${name}: ${message}`
}

/** Returns a failed import as a fault of the line that names it. */
export function faultOfImport(thrown: unknown, file: string, source: string, specifier: string): ModuleFault {
  const lines = source.split('\n')
  const index = lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`))
  return new ModuleFault(file, index < 0 ? null : index + 1, sentenceOf(thrown), thrown)
}

/** Returns what a module threw while it was compiled or run as a fault of the file where it happened. */
export function faultOfThrown(
  thrown: unknown,
  file: string,
  modules: ReadonlyMap<string, CompiledModule>,
): ModuleFault {
  const stack = typeof thrown === 'object' && thrown !== null && 'stack' in thrown ? String(thrown.stack) : ''
  const place = modules.size === 0 ? null : findPlace(stack, modules)
  return new ModuleFault(place?.file ?? file, place?.line ?? null, sentenceOf(thrown), thrown)
}
