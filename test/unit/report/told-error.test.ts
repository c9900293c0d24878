import { toldError } from '../../../src/report/told-error'

const UNTOLD = 'The last refresh failed; the log says why.'

it.each([
  [
    'Orders: its source table public.orders does not exist any more.',
    'Orders: its source table public.orders does not exist any more.',
  ],
  [
    'Orders: refresh.capture: "trigger" needs the right to create triggers on public.orders, and more. GRANT TRIGGER ON public.orders TO app.',
    'Orders: refresh.capture: "trigger" needs the right to create triggers on public.orders, and more.',
  ],
  [
    'Orders: its source cannot be read as declared: invalid input syntax for type integer: "somebody\'s secret".',
    'Orders: its source cannot be read as declared; the log says why.',
  ],
  [
    'Orders: its source cannot be read as declared: a message. Of two sentences\nand two lines.',
    'Orders: its source cannot be read as declared; the log says why.',
  ],
  ['Orders: it failed.\n    at secret (secret.ts:1:2)', 'Orders: it failed.'],
  ['connect ECONNREFUSED 10.1.2.3:5432', UNTOLD],
  ['duplicate key value violates unique constraint "secret"', UNTOLD],
  ['Others: it failed.', UNTOLD],
  ['', UNTOLD],
])('tells of %j what everybody may know', (message, told) => {
  expect(toldError('Orders', message)).toBe(told)
})
