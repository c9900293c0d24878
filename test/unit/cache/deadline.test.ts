import { withDeadline } from '../../../src/cache/deadline'

const late = () => new Error('late')

it('gives the outcome that comes in time', async () => {
  await expect(withDeadline(Promise.resolve(1), 1_000, late)).resolves.toBe(1)
  await expect(withDeadline(Promise.reject(new Error('wrong')), 1_000, late)).rejects.toThrow('wrong')
})

it('rejects when nothing comes in time', async () => {
  await expect(withDeadline(new Promise(() => {}), 1, late)).rejects.toThrow('late')
})

it('hears a reply that was there before a busy process could look', async () => {
  // The reply comes with the immediates that follow a timer, as data of a socket does.
  const reply = new Promise((resolve) => setTimeout(() => setImmediate(() => resolve('reply')), 1))
  const answer = withDeadline(reply, 1, late)
  const end = performance.now() + 10
  while (performance.now() < end);
  await expect(answer).resolves.toBe('reply')
})
