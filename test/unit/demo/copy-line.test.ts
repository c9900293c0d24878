import { copyLine } from '../../../src/demo/copy-line'

describe('copyLine', () => {
  it.each([
    ['text', 'ATL', 'ATL'],
    ['a number', -10, '-10'],
    ['an instant', new Date('2001-01-01T00:01:00Z'), '2001-01-01T00:01:00.000Z'],
    ['null', null, '\\N'],
    ['text that looks like null', '\\N', '\\\\N'],
    ['a tab', 'a\tb', 'a\\tb'],
    ['a line break', 'a\r\nb', 'a\\r\\nb'],
  ])('writes %s as COPY reads it', (_what, value, expected) => {
    expect(copyLine([value])).toBe(`${expected}\n`)
  })

  it('separates values by tabs', () => {
    expect(copyLine(['a', 1, null])).toBe('a\t1\t\\N\n')
  })
})
