import { namesTag, tagOf } from '../../../src/http/entity-tag'

describe('an entity tag', () => {
  it('is the same for the same bytes alone', () => {
    expect(tagOf('{"a":1}')).toBe(tagOf(Buffer.from('{"a":1}')))
    expect(tagOf('{"a":1}')).not.toBe(tagOf('{"a":2}'))
    expect(tagOf('')).toMatch(/^"[\w-]{43}"$/)
  })

  it.each<[string | undefined, boolean]>([
    ['"x"', true],
    ['W/"x"', true],
    ['"a", "x"', true],
    ['"a","x"', true],
    ['W/"a" , W/"x" ', true],
    ['"a,b", "x"', true],
    [' * ', true],
    [undefined, false],
    ['', false],
    ['"a"', false],
    ['"X"', false],
    ['w/"X"', false],
    ['x', false],
    ['"x', false],
    ['"a*"', false],
    ['"a,"x"', false],
  ])('"x" is named by If-None-Match: %s: %s', (header, isNamed) => {
    expect(namesTag(header, '"x"')).toBe(isNamed)
  })
})
