import fc from 'fast-check'
import { type DocumentNode, type GraphQLSchema, parse, validate } from 'graphql'
import { isPlainlyValid } from '../../../src/graphql/is-plainly-valid'
import { mutantsOf } from './mutate-document'
import { SERVED, STRANGE, TO_SERVED, TO_STRANGE } from './plain-documents'

const RUNS = 1_500

/** What graphql-js says, which throws at a subscription whose `@include` needs a variable. */
function findErrors(schema: GraphQLSchema, document: DocumentNode): readonly unknown[] {
  try {
    return validate(schema, document)
  } catch (error) {
    return [error]
  }
}

describe.each([
  ['what is served', SERVED, TO_SERVED],
  ['what of the language is not served', STRANGE, TO_STRANGE],
])('of documents with %s, changed at random', (_title, schema, texts) => {
  it('those that are plainly valid are valid, and few others are', () => {
    const counts = { plain: 0, valid: 0, invalid: 0 }
    const property = fc.property(mutantsOf(texts, schema), (text) => {
      const document = parse(text)
      const errors = findErrors(schema, document)
      const isPlain = isPlainlyValid(schema, document)
      if (isPlain) expect([text, errors]).toEqual([text, []])
      counts[isPlain ? 'plain' : errors.length === 0 ? 'valid' : 'invalid'] += 1
    })
    fc.assert(property, { numRuns: RUNS })
    expect(counts.plain).toBeGreaterThan(RUNS / 10)
    expect(counts.invalid).toBeGreaterThan(RUNS / 3)
    expect(counts.valid).toBeLessThan(counts.plain / 4)
  })
})
