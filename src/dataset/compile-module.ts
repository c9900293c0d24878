import { transformSync } from '@swc/core'
import { type CompiledModule, ModuleFault } from './module-fault'

/** Returns the first of swc's complaints, and its line, without the excerpt and the stack that follow it. */
function readComplaint(file: string, error: unknown): ModuleFault {
  const report =
    error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
      ? String(error.message)
      : String(error)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: swc colours its messages on a terminal.
  const plain = report.replace(/\u001b\[[0-9;]*m/g, '')
  const [first = ''] = plain.split('\n').filter((line) => line.trim() !== '')
  const line = /:([0-9]+):[0-9]+\]/.exec(plain)?.[1]
  const sentence = `The file cannot be parsed: ${first.replace(/^\s*[x×]\s+/, '')}.`
  return new ModuleFault(file, line === undefined ? null : Number(line), sentence, error)
}

/**
 * Turns a file of TypeScript or JavaScript with decorators into CommonJS. Only the file itself is asked: the settings of
 * whatever project it lies in (tsconfig.json, .swcrc, the type in package.json) change nothing.
 */
export function compileModule(file: string, source: string): CompiledModule {
  try {
    const { code, map } = transformSync(source, {
      filename: file,
      swcrc: false,
      configFile: false,
      // CommonJS stays as it is; anything that imports or exports is a module.
      isModule: 'unknown',
      sourceMaps: true,
      jsc: {
        // JavaScript is read as TypeScript, too: decorators may then stand before `export` or behind it.
        parser: { syntax: 'typescript', decorators: true },
        // A field that is only declared must not become a property of instances.
        transform: { legacyDecorator: true, useDefineForClassFields: false },
        target: 'es2022',
      },
      module: { type: 'commonjs' },
    })
    return { code, map: map ?? '{"version":3,"sources":[],"names":[],"mappings":""}' }
  } catch (error) {
    throw readComplaint(file, error)
  }
}
