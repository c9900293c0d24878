import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadDatasets } from '../../../src/dataset/load-datasets'
import { DeclarationError, type Fault } from '../../../src/errors'
import * as surface from '../../../src/index'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** Writes files to a new folder far from this project and returns its path. */
function aFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'datasets-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function namesIn(folder: string): readonly string[] {
  return loadDatasets(folder, surface).map(({ className }) => className)
}

function faultsIn(folder: string): readonly Fault[] {
  try {
    loadDatasets(folder, surface)
  } catch (error) {
    if (error instanceof DeclarationError) return error.faults
    throw error
  }
  return []
}

const HEAD = `import { Dataset, Dimension, Measure, count } from 'aggregraph'\n`
const aClass = (name: string) =>
  `@Dataset({ source: 'flights', time: 'at' })\nexport class ${name} {\n  @Measure(count()) rows!: number\n}\n`
const aFile = (name: string) => HEAD + aClass(name)

it('loads every file of the folder by name, and every exported class of it once', () => {
  const folder = aFolder({
    'b.ts': aFile('B'),
    'a.ts': `${HEAD + aClass('A')}${aClass('Second')}export { A as Again }\nexport default A\nclass Hidden {}\n`,
    'c.mts': aFile('C'),
    'd.cts': aFile('D'),
    'index.ts': `export * from './a'\nexport * from './b.js'\n`,
  })
  expect(namesIn(folder)).toEqual(['A', 'Second', 'B', 'C', 'D'])
  expect(loadDatasets(folder, surface).map(({ file }) => file)).toEqual(['a.ts', 'a.ts', 'b.ts', 'c.mts', 'd.cts'])
})

it('leaves out declaration files, tests, private and hidden files, subfolders and everything that is no code', () => {
  const folder = aFolder({
    'a.ts': aFile('A'),
    'a.d.ts': 'export declare const x: 1',
    'a.test.ts': 'throw new Error("a test")',
    '_draft.ts': 'throw new Error("private")',
    '.hidden.ts': 'throw new Error("hidden")',
    'more/b.ts': aFile('B'),
    'node_modules/x/index.js': 'throw new Error("a package")',
    'folder.ts/b.ts': aFile('B'),
    'notes.md': '# no code',
    'data.json': '{}',
  })
  expect(namesIn(folder)).toEqual(['A'])
})

it('reads members of TypeScript and JavaScript alike, without types and without a constructor', () => {
  const body = (mark: string) => `
export class Flights {
  @Dimension({ label: 'From' }) origin${mark}
  plain${mark}
  @Dimension() destination${mark}
  @Measure(count({ where: 'delay > 15' })) delayed${mark}
}`
  const dataset = `@Dataset({ source: 'flights', time: 'at' })`
  const [typed] = loadDatasets(aFolder({ 'a.ts': `${HEAD}${dataset}${body('!: string | null')}` }), surface)
  const [plain] = loadDatasets(aFolder({ 'a.js': `${HEAD}${dataset}${body('')}` }), surface)
  const [exportFirst] = loadDatasets(
    aFolder({ 'a.mjs': `${HEAD}export ${dataset}${body('').replace('export ', '')}` }),
    surface,
  )
  expect(typed).toEqual({
    className: 'Flights',
    file: 'a.ts',
    options: { source: 'flights', time: 'at' },
    dimensions: [
      { name: 'origin', options: { label: 'From' } },
      { name: 'destination', options: {} },
    ],
    measures: [{ name: 'delayed', spec: { kind: 'count', where: 'delay > 15' }, options: {} }],
  })
  expect({ ...plain, file: 'a.ts' }).toEqual(typed)
  expect({ ...exportFirst, file: 'a.ts' }).toEqual(typed)
})

it.each<readonly [string, Readonly<Record<string, string>>]>([
  ['a package of ES modules', { 'package.json': '{ "type": "module" }' }],
  ['a package of CommonJS', { 'package.json': '{ "type": "commonjs", "main": "nowhere.js" }' }],
  [
    'a strict tsconfig',
    {
      'tsconfig.json':
        '{ "compilerOptions": { "strict": true, "verbatimModuleSyntax": true, "module": "nodenext", "experimentalDecorators": false, "target": "es5" } }',
    },
  ],
  ['a broken tsconfig', { 'tsconfig.json': '{ not json' }],
  ['settings of swc', { '.swcrc': '{ "jsc": { "parser": { "syntax": "ecmascript" }, "target": "es3" } }' }],
  ['a broken package.json', { 'package.json': '{ not json' }],
])('does not mind lying in %s', (_name, around) => {
  expect(namesIn(aFolder({ ...around, 'a.ts': aFile('A'), 'b.js': aFile('B').replace('!: number', '') }))).toEqual([
    'A',
    'B',
  ])
})

it('loads CommonJS as it is', () => {
  const text = `const { Dataset, Measure, count } = require('aggregraph')
class A {}
Measure(count())(A.prototype, 'rows')
Dataset({ source: 'a', time: 'at' })(A)
`
  expect(namesIn(aFolder({ 'a.cjs': `${text}module.exports = A`, 'b.js': `${text}exports.A = A` }))).toEqual(['A', 'A'])
})

it('lets files import each other, subfolders, JSON, packages and Node, types included', () => {
  const folder = aFolder({
    'a.ts': `import type { DatasetOptions } from 'aggregraph'
import { join } from 'node:path'
import path = require('node:path')
import { late, type Late } from './shared/conditions'
import { zone } from './shared/index.js'
import { rows } from 'counted'
import settings from './shared/settings.json' with { type: 'json' }
import Base, { other } from './b.js'
${HEAD}
const options: DatasetOptions = { source: join(settings.schema, late satisfies Late), time: path.basename('x/at'), timezone: zone }
@Dataset(options)
export class A extends Base { @Measure(count()) [rows]!: number }
export const seen = () => other
`,
    'b.ts': `${HEAD}export default class Base { @Dimension({ sql: 'lower(origin)' }) origin!: string }\nexport const other = import.meta.url\n`,
    'shared/conditions.ts': `export type Late = 'late'\nexport const late = 'late'`,
    'shared/index.ts': `export const zone: string = 'Europe/Paris'`,
    'shared/settings.json': '{ "schema": "public" }',
    'node_modules/counted/package.json': '{ "name": "counted", "main": "main.js" }',
    'node_modules/counted/main.js': `exports.rows = 'rows'`,
  })
  expect(loadDatasets(folder, surface)).toEqual([
    {
      className: 'A',
      file: 'a.ts',
      options: { source: 'public/late', time: 'at', timezone: 'Europe/Paris' },
      dimensions: [{ name: 'origin', options: { sql: 'lower(origin)' } }],
      measures: [{ name: 'rows', spec: { kind: 'count' }, options: {} }],
    },
  ])
})

it('does not loop when files import each other in a circle', () => {
  const folder = aFolder({
    'a.ts': `import { B } from './b'\n${aFile('A')}export const b = () => B\n`,
    'b.ts': `import { A } from './a'\n${aFile('B')}export const a = () => A\n`,
  })
  expect(namesIn(folder)).toEqual(['A', 'B'])
})

it('takes a file that is linked twice for one', () => {
  const folder = aFolder({ '..data/a.ts': aFile('A'), '..data/b.ts': `export { A } from './a'` })
  symlinkSync(join('..data', 'a.ts'), join(folder, 'a.ts'))
  symlinkSync(join('..data', 'b.ts'), join(folder, 'b.ts'))
  expect(namesIn(folder)).toEqual(['A'])
})

it.each<readonly [string, string, string, string]>([
  ['does not parse', `${HEAD}export class A {\n  x =\n}\n`, 'a.ts:4', 'cannot be parsed: Expression expected'],
  [
    'throws',
    `import type { X } from 'aggregraph'\ninterface Y { z: 1 }\n\nthrow new Error('on purpose')\n`,
    'a.ts:4',
    'Error: on purpose',
  ],
  ['throws what is no error', `throw 'on purpose'`, 'a.ts', 'on purpose'],
  [
    'reads what is not there',
    `interface Y { z: 1 }\nconst x: any = undefined\nexport const y = x.foo\n`,
    'a.ts:3',
    "reading 'foo'",
  ],
  [
    'imports a package that is not installed',
    `import { x } from 'not-installed'\nconsole.log(x)`,
    'a.ts:1',
    "Cannot find module 'not-installed'",
  ],
  [
    'imports a file that is not there',
    `\nimport { x } from './nowhere'\nconsole.log(x)`,
    'a.ts:2',
    "Cannot find module './nowhere'",
  ],
  ['awaits at the top', `export const a = await Promise.resolve(1)`, 'a.ts:1', 'Top-level await is not supported'],
  ['reads odd parts of import.meta', `export const a = import.meta.env`, 'a.ts:1', 'Of import.meta only url'],
  [
    'decorates a static field',
    `${HEAD}export class A { @Dimension() static origin: string }`,
    'A.origin',
    'this one is static',
  ],
  [
    'forgets the call of a decorator',
    `${HEAD}export class A { @Dimension origin: string }`,
    'A',
    'write @Dimension(…)',
  ],
  [
    'forgets the call of @Dataset',
    `${HEAD}@Dataset export class A { @Measure(count()) rows!: number }`,
    'A',
    'write @Dataset(…)',
  ],
  [
    'exports no dataset',
    `${HEAD}export class A { @Measure(count()) rows!: number }`,
    '',
    'No file here exports a class with @Dataset',
  ],
])('a file that %s is a fault with its place', (_name, text, subject, fragment) => {
  const folder = aFolder({ 'a.ts': text })
  const faults = faultsIn(folder)
  expect(faults).toEqual([{ subject: subject === '' ? folder : subject, sentence: expect.stringContaining(fragment) }])
  expect(faults[0]?.sentence).not.toMatch(/\n|\bat .*:\d+:\d+/)
})

it('tells of every file that does not load, and of one that others import only once', () => {
  const folder = aFolder({
    'a.ts': `import './shared/broken'`,
    'b.ts': `import './shared/broken'`,
    'c.ts': 'export class {',
    'd.ts': aFile('D'),
    'shared/broken.ts': `\nthrow new Error('broken')`,
  })
  expect(faultsIn(folder).map(({ subject }) => subject)).toEqual([join('shared', 'broken.ts:2'), 'c.ts:1'])
})

it('says what is wrong with a folder that is none', () => {
  const folder = aFolder({ 'a.ts': aFile('A') })
  expect(faultsIn(join(folder, 'nowhere'))[0]?.sentence).toMatch(/^There is no such folder/)
  expect(faultsIn(join(folder, 'a.ts'))[0]?.sentence).toMatch(/^This is not a folder/)
  expect(faultsIn(aFolder({}))[0]?.sentence).toMatch(/^No file here/)
})
