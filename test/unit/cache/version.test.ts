import { formatVersion, isNewer, parseVersion, sameVersion } from '../../../src/cache/version'

const uuid = '0b8f8f3c-6f0e-4b5f-9d5a-1c2f3e4d5a6b'

it.each([0, 1, 10, Number.MAX_SAFE_INTEGER])('reads back the version it writes: %d', (seq) => {
  expect(formatVersion({ seq, uuid })).toBe(`${seq}.${uuid}`)
  expect(parseVersion(`${seq}.${uuid}`)).toEqual({ seq, uuid })
})

it.each(['', '1', '1.', '.u', '01.u', '-1.u', '1.5.u', '1.u ', '1e3.u', '9007199254740993.u', 'x.u', ' 1.u', '1.u\n'])(
  'takes %j for no version',
  (text) => {
    expect(parseVersion(text)).toBeNull()
  },
)

it('orders by number alone and tells two versions of one number apart', () => {
  expect(isNewer({ seq: 10, uuid: 'a' }, { seq: 9, uuid: 'b' })).toBe(true)
  expect(isNewer({ seq: 9, uuid: 'b' }, { seq: 10, uuid: 'a' })).toBe(false)
  expect(isNewer({ seq: 9, uuid: 'b' }, { seq: 9, uuid: 'a' })).toBe(false)
  expect(sameVersion({ seq: 9, uuid: 'a' }, { seq: 9, uuid: 'a' })).toBe(true)
  expect(sameVersion({ seq: 9, uuid: 'a' }, { seq: 9, uuid: 'b' })).toBe(false)
  expect(sameVersion({ seq: 9, uuid: 'a' }, { seq: 8, uuid: 'a' })).toBe(false)
})
