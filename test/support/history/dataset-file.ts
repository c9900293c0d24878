import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Release } from './release'

/** Writes a release as the file that an application would have in its folder of datasets. */
export async function writeDatasetFile(folder: string, { declaration }: Release): Promise<void> {
  const { className, options, dimensions, measures } = declaration
  const lines = [
    `import { Dataset, Dimension, Measure } from 'aggregraph'`,
    `@Dataset(${JSON.stringify(options)})`,
    `export class ${className} {`,
    ...dimensions.map(({ name }) => `  @Dimension() ${name}!: string | number | boolean | null`),
    ...measures.map(({ name, spec }) => `  @Measure(${JSON.stringify(spec)}) ${name}!: number | string | null`),
    '}',
  ]
  await writeFile(join(folder, 'history.ts'), `${lines.join('\n')}\n`)
}
