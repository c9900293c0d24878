import { readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { DeclarationError, type Fault } from '../errors'
import { checkDeclaration } from './check-declaration'
import type { Declaration } from './declaration'
import { ModuleFault } from './module-fault'
import { createModuleLoader, MODULE_EXTENSIONS } from './module-loader'
import { declarationOf } from './recorded'

/** Whether the folder's entry is a file of datasets: neither hidden nor private, no declaration file and no test. */
function isDatasetFile(name: string): boolean {
  if (/^[._]/.test(name) || /\.d\.[cm]?ts$/.test(name) || /\.test\.[^.]+$/.test(name)) return false
  return MODULE_EXTENSIONS.some((extension) => name.endsWith(extension))
}

/** Returns the folder's files of datasets in the order of their names; throws a fault when there is no such folder. */
function listFiles(folder: string): readonly string[] {
  const stats = statSync(folder, { throwIfNoEntry: false })
  if (stats?.isDirectory() !== true) {
    const what = stats === undefined ? 'There is no such folder' : 'This is not a folder'
    throw new DeclarationError([
      { subject: folder, sentence: `${what}; AGGREGRAPH_DATASETS names the folder that holds the dataset classes.` },
    ])
  }
  const names = readdirSync(folder).filter(isDatasetFile).sort()
  return names.map((name) => resolve(folder, name)).filter((file) => statSync(file).isFile())
}

/** What a module exports, and the one thing when that is all it is: `module.exports = Flights`. */
function exportedValues(exported: unknown): readonly unknown[] {
  if (typeof exported === 'function') return [exported, ...Object.values(exported)]
  return typeof exported === 'object' && exported !== null ? Object.values(exported) : []
}

function faultsOf(error: unknown, folder: string): readonly Fault[] {
  if (error instanceof DeclarationError) return error.faults
  if (!(error instanceof ModuleFault)) throw error
  const file = relative(folder, error.file)
  return [{ subject: error.line === null ? file : `${file}:${error.line}`, sentence: error.message }]
}

/**
 * Loads every `.ts` and `.js` file of a folder, subfolders left out, and returns the declaration of every exported
 * `@Dataset` class once, in the order of the files' names. `surface` is what `import … from 'aggregraph'` gives them.
 *
 * Throws a DeclarationError with every file that could not be loaded.
 */
export function loadDatasets(folder: string, surface: Readonly<Record<string, unknown>>): readonly Declaration[] {
  const files = listFiles(folder)
  const root = realpathSync(folder)
  const loader = createModuleLoader(surface)
  const failures = new Set<unknown>()
  const declarations = new Map<unknown, Declaration>()
  for (const file of files) {
    try {
      for (const value of exportedValues(loader.load(realpathSync(file)))) {
        const declaration = declarationOf(value)
        if (declaration === undefined || declarations.has(value)) continue
        declarations.set(value, { ...declaration, file: basename(file) })
      }
    } catch (error) {
      failures.add(error)
    }
  }
  const faults = [...failures].flatMap((failure) => faultsOf(failure, root))
  if (faults.length === 0 && declarations.size === 0) {
    faults.push({
      subject: folder,
      sentence: 'No file here exports a class with @Dataset; add one, for example flights.ts.',
    })
  }
  if (faults.length > 0) {
    // What the other classes show without the database is told in the same breath.
    throw new DeclarationError([...faults, ...[...declarations.values()].flatMap(checkDeclaration)])
  }
  return [...declarations.values()]
}
