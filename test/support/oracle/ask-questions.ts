import fc from 'fast-check'
import { type Bench, checkQuestion } from './check'
import { questionArbitrary, type Subject } from './question-arbitrary'

const SEED = 20_260_101
/** Questions that all subjects together are asked; AGGREGRAPH_QUESTIONS may ask for more. */
const QUESTIONS = 200

export interface AskOptions {
  /** Part of all questions that this subject gets. */
  readonly share: number
  /** Sets the server's clock, in epoch milliseconds. */
  setClock(now: number): void
}

/**
 * Asks a subject its share of random questions, always the same ones. A failure tells the seed, the smallest question
 * found that fails, and what differs.
 */
export async function askQuestions(bench: Bench, subject: Subject, { share, setClock }: AskOptions): Promise<void> {
  const total = Number(process.env.AGGREGRAPH_QUESTIONS ?? QUESTIONS)
  const seed = Number(process.env.AGGREGRAPH_QUESTIONS_SEED ?? SEED)
  const property = fc.asyncProperty(questionArbitrary(subject), async (question) => {
    setClock(question.now)
    await checkQuestion(bench, question)
  })
  await fc.assert(property, {
    seed,
    numRuns: Math.ceil(total * share),
    interruptAfterTimeLimit: 300_000,
    markInterruptAsFailure: true,
  })
}
