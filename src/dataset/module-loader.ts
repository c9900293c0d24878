import { readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, isAbsolute, resolve } from 'node:path'
import { compileFunction } from 'node:vm'
import { DeclarationError } from '../errors'
import { compileModule } from './compile-module'
import { type CompiledModule, faultOfImport, faultOfThrown, ModuleFault } from './module-fault'

/** Extensions of files that are compiled; what is written in TypeScript is found first. */
export const MODULE_EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'] as const

/** Imports of TypeScript name the file that will come of it: `./columns.js` is `./columns.ts`. */
const WRITTEN_AS: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' }

interface LoadedModule {
  exports: unknown
  failure: ModuleFault | DeclarationError | null
}

/** Loads the user's files, and remembers them. */
export interface ModuleLoader {
  /** Returns what the file exports; throws a ModuleFault, or the DeclarationError of a decorator. */
  load(file: string): unknown
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Finds the file that a relative specifier means, or null. */
function findFile(path: string): string | null {
  const extension = extname(path)
  const written = WRITTEN_AS[extension]
  const candidates = [
    path,
    ...(written === undefined ? [] : [path.slice(0, -extension.length) + written]),
    ...[...MODULE_EXTENSIONS, '.json'].map((known) => path + known),
    ...MODULE_EXTENSIONS.map((known) => resolve(path, `index${known}`)),
  ]
  const found = candidates.find(isFile)
  return found === undefined ? null : realpathSync(found)
}

function isRelative(specifier: string): boolean {
  return /^\.{1,2}(?:\/|$)/.test(specifier) || isAbsolute(specifier)
}

function isFault(error: unknown): error is ModuleFault | DeclarationError {
  return error instanceof ModuleFault || error instanceof DeclarationError
}

/**
 * Returns a loader for files that live anywhere on disk, with nothing installed beside them. `aggregraph` is `surface`;
 * relative imports are the user's other files, compiled the same way; anything else is found by Node from where the file
 * lies. No hook is installed: the loader is a `require` handed to each file.
 */
export function createModuleLoader(surface: Readonly<Record<string, unknown>>): ModuleLoader {
  const loaded = new Map<string, LoadedModule>()
  const compiled = new Map<string, CompiledModule>()

  function requireFrom(file: string, specifier: string): unknown {
    if (specifier === 'aggregraph') return surface
    if (!isRelative(specifier)) return createRequire(file)(specifier)
    const found = findFile(resolve(dirname(file), specifier))
    if (found === null) throw new Error(`Cannot find module '${specifier}'`)
    if (extname(found) === '.json') return JSON.parse(readFileSync(found, 'utf8'))
    const isOurs = MODULE_EXTENSIONS.some((known) => known === extname(found))
    return isOurs ? load(found) : createRequire(file)(found)
  }

  function run(file: string, module: LoadedModule): void {
    const source = readFileSync(file, 'utf8')
    const output = compileModule(file, source)
    compiled.set(file, output)
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname']
    const body = compileFunction(output.code, parameters, { filename: file })
    const require = (specifier: string) => {
      try {
        return requireFrom(file, specifier)
      } catch (error) {
        throw isFault(error) ? error : faultOfImport(error, file, source, specifier)
      }
    }
    body.call(module.exports, module.exports, require, module, file, dirname(file))
  }

  function load(file: string): unknown {
    const known = loaded.get(file)
    if (known?.failure) throw known.failure
    // Files that import each other see what the other has exported so far.
    if (known !== undefined) return known.exports
    const module: LoadedModule = { exports: {}, failure: null }
    loaded.set(file, module)
    try {
      run(file, module)
    } catch (error) {
      module.failure = isFault(error) ? error : faultOfThrown(error, file, compiled)
      throw module.failure
    }
    return module.exports
  }

  return { load }
}
