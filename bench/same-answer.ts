import type { Contestant } from './contestant'
import { BARE } from './contestants'
import { askInTurn } from './load'
import { createNewOperations, createUnaskedRanges, MARCH, NEW_OPERATIONS, renderRequest } from './question'

/** A number that no round reaches: the operations of the rounds are to be new. */
const NEVER_AGAIN = NEW_OPERATIONS - 1

/** The values of an answer in their order, whatever their names. */
function listValues(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listValues) : [value]
}

async function answerOf({ port }: Contestant, request: Buffer): Promise<string> {
  const [answer] = await askInTurn(port, [request])
  // Apollo Server ends an answer with a line feed.
  return answer?.body.trimEnd() ?? ''
}

/**
 * Throws unless all contestants give the same bytes, to a question and to a new operation, and those that know anything
 * but one answer to another range, too. PostGraphile, which names things its own way, has to give the same values in
 * the same order. Gives how many bytes the answer has. Whoever is asked has its rows at hand afterwards.
 */
export async function checkAnswers(contestants: readonly Contestant[]): Promise<number> {
  const [first] = contestants
  if (first === undefined) throw new Error('There is nobody to ask')
  const other = createUnaskedRanges(5_000)()
  const expected = await answerOf(first, renderRequest(first.shape, MARCH))
  const expectedOther = await answerOf(first, renderRequest(first.shape, other))
  const expectedNew = await answerOf(first, createNewOperations(NEVER_AGAIN)())
  for (const contestant of contestants) {
    const { name, shape } = contestant
    const check = async (request: Buffer, wanted: string) => {
      const given = await answerOf(contestant, request)
      const isSame =
        shape === 'postgraphile'
          ? JSON.stringify(listValues(JSON.parse(given))) === JSON.stringify(listValues(JSON.parse(wanted)))
          : given === wanted
      if (!isSame) throw new Error(`${name} answers ${given}, not ${wanted}`)
    }
    await check(renderRequest(shape, MARCH), expected)
    if (name === BARE) continue
    await check(renderRequest(shape, other), expectedOther)
    if (shape === 'graphql') await check(createNewOperations(NEVER_AGAIN)(), expectedNew)
  }
  return Buffer.byteLength(expected)
}
