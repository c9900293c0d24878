import { join } from 'node:path'
import { checkDeclaration } from '../../../src/dataset/check-declaration'
import { loadDatasets } from '../../../src/dataset/load-datasets'
import * as surface from '../../../src/index'

const DECLARATIONS = loadDatasets(join(__dirname, '../../../src/catalog'), surface)

describe('the shipped catalogue', () => {
  it('serves the flights, declared without a fault', () => {
    expect(DECLARATIONS.map((declaration) => declaration.className)).toEqual(['Flights'])
    expect(DECLARATIONS.flatMap(checkDeclaration)).toEqual([])
  })

  it.each(DECLARATIONS)('describes every member of $className', ({ dimensions, measures }) => {
    const undescribed = [...dimensions, ...measures].filter(({ options }) => !options.description)
    expect(undescribed.map(({ name }) => name)).toEqual([])
  })

  it.each(DECLARATIONS)('keeps every dimension of $className in some rollup', ({ dimensions, options }) => {
    const kept = new Set(options.rollups?.flatMap((rollup) => rollup.by))
    expect(dimensions.map(({ name }) => name).filter((name) => !kept.has(name))).toEqual([])
  })
})
