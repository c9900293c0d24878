import { buildSchema, graphqlSync, parse, validate } from 'graphql'
import { readSpelling, respell } from '../../../src/graphql/spelling'

const text = (document: string) => readSpelling(document)?.text ?? null

describe('the spelling of an operation', () => {
  it.each([
    ['names of operations', 'query A { flights { id } }', 'query Other { flights { id } }'],
    ['the keyword of a query', '{ a }', 'query A { a }'],
    ['that there is a name', 'query ($a: Int) { a(b: $a) }', 'query A($a: Int) { a(b: $a) }'],
    ['aliases', '{ a: flights { b: id } }', '{ x: flights { y: id } }'],
    [
      'white space, commas and comments',
      'query A($a: Int, $b: Int) { a(b: $a) }',
      'query A ( $a:Int $b:Int )\n{ a(b:$a) # c\n}',
    ],
    [
      'names of variables',
      'query ($x: Int, $y: Int = 1) { a(b: $x, c: [$y]) }',
      'query ($y: Int, $x: Int = 1) { a(b: $y, c: [$x]) }',
    ],
    ['names that are keywords', 'query query { query: a }', 'query fragment { on: a }'],
    [
      'fragments whose fields have aliases',
      'query A { ...F } fragment F on Q { x: a }',
      'query B { ...F } fragment F on Q { y: a }',
    ],
  ])('leaves out %s', (_what, one, other) => {
    expect(text(one)).not.toBeNull()
    expect(text(one)).toBe(text(other))
  })

  it.each([
    ['fields', '{ a }', '{ b }'],
    ['arguments, also of the name of an alias', '{ x: a(x: 1) }', '{ x: a(y: 1) }'],
    ['members of objects', '{ a(b: { x: 1 }) }', '{ a(b: { y: 1 }) }'],
    ['values', '{ a(b: 1) }', '{ a(b: 2) }'],
    ['strings in blocks', '{ a(b: "c") }', '{ a(b: """c""") }'],
    ['kinds of values', '{ a(b: "c") }', '{ a(b: c) }'],
    ['texts with line breaks', '{ a(b: "x\\ny") }', '{ a(b: "x", y: 1) }'],
    [
      'which variable is where',
      'query ($x: Int, $y: Int) { a(b: $x, c: $y) }',
      'query ($x: Int, $y: Int) { a(b: $y, c: $x) }',
    ],
    ['variables and names', 'query ($x: Int) { a(b: $x) }', 'query ($x: Int) { a(b: x) }'],
    ['which fields share an alias', '{ x: a x: a }', '{ x: a y: a }'],
    ['which of two aliases is where', '{ x: a y: b { x: c } }', '{ x: a y: b { y: c } }'],
    ['an alias that is the name of another field', '{ a: b a }', '{ c: b a }'],
    ['fragments', 'query A { ...F } fragment F on Q { a }', 'query A { ...F } fragment F on P { a }'],
    ['long aliases', `{ ${'x'.repeat(101)}: a }`, `{ ${'y'.repeat(101)}: a }`],
    ['an alias and none', '{ x: a }', '{ a }'],
  ])('tells apart %s', (_what, one, other) => {
    expect(text(one)).not.toBeNull()
    expect(text(other)).not.toBeNull()
    expect(text(one)).not.toBe(text(other))
  })

  it('says the aliases in order, once each, and the name', () => {
    expect(readSpelling('query Name { x: a { y: b x: c } }')).toMatchObject({
      aliases: ['x', 'y'],
      operationName: 'Name',
    })
    expect(readSpelling('{ a }')).toMatchObject({ aliases: [], variables: [], operationName: null })
    expect(readSpelling('query ($b: Int, $a: Int) { c(d: $a, e: $b) }')).toMatchObject({ variables: ['b', 'a'] })
  })

  it.each([
    ['several operations', 'query A { a } query B { a }'],
    ['a described operation, and another', '"text" query A { a } query A { a }'],
    ['a described operation', '{ a } """text""" query B { a }'],
    ['no operation', 'fragment F on Q { a }'],
    ['what is no text of GraphQL', '{ a(b: "c) }'],
    ['more tokens than are parsed', `{ ${'a '.repeat(2_000)} }`],
    ['nothing', ''],
  ])('is not known of %s', (_what, document) => {
    expect(readSpelling(document)).toBeNull()
  })

  it('keeps names that every answer has as keys', () => {
    const spelling = readSpelling('{ data: a errors: b extensions: c other: d }')
    expect(spelling?.aliases).toEqual(['other'])
  })
})

describe('an answer in another spelling', () => {
  it('has the other aliases as keys, wherever they are, and leaves texts alone', () => {
    const body = '{"data":{"x":{"y":"\\"x\\":","z":["x",{"x":1}]},"y":"x"}}\n'
    expect(respell(body, ['x', 'y'], ['y', 'longer'])).toBe(
      '{"data":{"y":{"longer":"\\"x\\":","z":["x",{"y":1}]},"longer":"x"}}\n',
    )
  })
})

/** A seeded generator (mulberry32, by Tommy Ettinger), so that a failure comes again. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('any operation and the same with other aliases', () => {
  const schema = buildSchema('type Query { a(of: Int): Query b: Query text(say: String): String many: [Query] }')
  const root: object = {
    a: () => root,
    b: () => root,
    many: () => [root, root],
    text: ({ say }: { say?: string }) => say ?? '"a":1,"x":{"data":',
  }
  const NAMES = ['a', 'b', 'text', 'many', 'x', 'y', 'z', 'data', 'of', '__typename', 'on', 'query']

  /** A selection with a number in the place of each name that its author may choose. */
  function write(random: () => number, depth: number): string {
    const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? ''
    const fields = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      const alias = random() < 0.6 ? `<${Math.floor(random() * 4)}>: ` : ''
      const field = pick(
        depth > 2
          ? ['text', '__typename']
          : ['text', 'a', 'a(of: 1)', 'b', 'many', '... on Query', 'text(say: "\\"<0>\\":")'],
      )
      const isLeaf = field.startsWith('text') || field === '__typename'
      return `${field.startsWith('...') ? '' : alias}${field}${isLeaf ? '' : ` { ${write(random, depth + 1)} }`}`
    })
    return fields.join(' ')
  }

  it('are the same, or are told apart', () => {
    const random = createRandom(7)
    const seen = { same: 0, apart: 0 }
    for (let count = 0; count < 6_000; count += 1) {
      const pattern = `query { ${write(random, 0)} }`
      const spell = () => {
        const names = [0, 1, 2, 3].map(() => NAMES[Math.floor(random() * NAMES.length)] ?? 'x')
        return pattern.replaceAll(/<(\d)>/g, (_place, number: string) => names[Number(number)] ?? 'x')
      }
      const [one, other] = [spell(), spell()]
      const spellings = [readSpelling(one), readSpelling(other)] as const
      if (spellings[0] === null || spellings[1] === null) throw new Error(`Not read: ${one} or ${other}`)
      // Literals are chosen as well: they are not names.
      if (spellings[0].text !== spellings[1].text) {
        seen.apart += 1
        continue
      }
      const [isValid, isOtherValid] = [one, other].map((source) => validate(schema, parse(source)).length === 0)
      expect([one, other, isValid]).toEqual([one, other, isOtherValid])
      if (!isValid) continue
      seen.same += 1
      const answer = (source: string) => `${JSON.stringify(graphqlSync({ schema, source, rootValue: root }))}\n`
      expect(respell(answer(one), spellings[0].aliases, spellings[1].aliases)).toBe(answer(other))
    }
    expect(Math.min(seen.same, seen.apart)).toBeGreaterThan(300)
  })
})
