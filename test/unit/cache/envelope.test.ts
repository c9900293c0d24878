import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { decodeEnvelope, encodeEnvelope, MAX_BODY_BYTES, MAX_ENVELOPE_BYTES } from '../../../src/cache/envelope'
import { FORMAT_VERSION, type Question } from '../../../src/cache/question'
import { seal } from './envelope-bytes'

const question: Question = { group: 'flights', topic: 'layout', scope: 'tenant=1', text: '{"a":1}' }
const facts = { version: { seq: 7, uuid: '0b8f8f3c-6f0e-4b5f-9d5a-1c2f3e4d5a6b' }, asOf: 1_700_000_000_000, loadMs: 12 }
const small = { rows: [1, null, ''] }
const large = { rows: Array.from({ length: 500 }, (_, index) => ({ origin: `A${index}`, flights: index })) }

function encode(value: unknown): Buffer {
  const bytes = encodeEnvelope(question, { ...facts, value })
  if (bytes === null) throw new Error('not encoded')
  return bytes
}

it('gives back any JSON value, and what is known of it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // JSON writes -0 as 0.
      const plain: unknown = JSON.parse(JSON.stringify(value))
      expect(decodeEnvelope(encode(plain), question)).toEqual({ ...facts, value: plain })
    }),
  )
})

it.each([
  ['no moment', { asOf: null }, { asOf: null }],
  ['a moment before 1970', { asOf: -1 }, { asOf: -1 }],
  ['a time with a fraction, which is rounded', { loadMs: 1.6 }, { loadMs: 2 }],
])('gives back %s', (_, change, expected) => {
  const bytes = encodeEnvelope(question, { ...facts, ...change, value: 1 })
  expect(decodeEnvelope(bytes ?? Buffer.alloc(0), question)).toEqual({ ...facts, ...expected, value: 1 })
})

describe('of the bytes that are checked in', () => {
  const golden = (name: string) => readFileSync(join(__dirname, 'golden', name))

  it('reads those of its format, and writes the very same', () => {
    expect(FORMAT_VERSION).toBe(2)
    const value = { rows: [1, null, 'ü'] }
    expect(decodeEnvelope(golden('format-2.bin'), question)).toEqual({ ...facts, value })
    expect(encode(value)).toEqual(golden('format-2.bin'))
  })

  it('reads packed ones', () => {
    const expected = { version: facts.version, asOf: null, loadMs: 0, value: large }
    expect(decodeEnvelope(golden('format-2-packed.bin'), question)).toEqual(expected)
  })

  it('takes those of the format before for nothing', () => {
    expect(decodeEnvelope(golden('format-1.bin'), question)).toBeNull()
  })
})

it.each([[null], [0], [''], [false], [[]], [{}]])('takes %j for a value, not for nothing', (value) => {
  expect(decodeEnvelope(encode(value), question)).toEqual({ ...facts, value })
})

it('packs what is large and leaves what is small', () => {
  expect(encode(small).toString()).toContain('"rows"')
  expect(encode(large).length).toBeLessThan(JSON.stringify(large).length / 3)
})

describe.each([
  ['small', encode(small)],
  ['packed', encode(large)],
])('of a %s entry', (_, bytes) => {
  it('knows every truncation', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeEnvelope(bytes.subarray(0, length), question)).toBeNull()
    }
  })

  it('knows any bytes added', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (added) => {
        expect(decodeEnvelope(Buffer.concat([bytes, added]), question)).toBeNull()
        expect(decodeEnvelope(Buffer.concat([added, bytes]), question)).toBeNull()
      }),
    )
  })

  it('knows every flipped bit', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(decodeEnvelope(flipped, question)).toBeNull()
    }
  })

  it.each(['group', 'topic', 'scope', 'text'] as const)('knows that it answers another %s', (part) => {
    expect(decodeEnvelope(bytes, { ...question, [part]: `${question[part]} ` })).toBeNull()
  })
})

it('takes no other bytes for an entry, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(decodeEnvelope(Buffer.from(bytes), question)).toBeNull()
    }),
  )
})

describe('of bytes with a right checksum', () => {
  const who = ['flights', 'layout', 'tenant=1', '{"a":1}']
  const head = [...who, '7.u7', 5, 1]
  const body = Buffer.from('{"ok":true}')
  const good = { format: FORMAT_VERSION, compression: 0, head: JSON.stringify(head), length: body.length, body }

  it('takes those that say what they should', () => {
    expect(decodeEnvelope(seal(good), question)).toEqual({
      version: { seq: 7, uuid: 'u7' },
      asOf: 5,
      loadMs: 1,
      value: { ok: true },
    })
  })

  const bomb = gzipSync(Buffer.alloc(MAX_BODY_BYTES * 4, 32))
  const bad: readonly [string, Partial<typeof good>][] = [
    ['the format before', { format: 1, head: JSON.stringify([...who, '7.u7']) }],
    ['the format before, in name', { format: 1 }],
    ['the format after', { format: 3 }],
    ['an unknown compression', { compression: 2 }],
    ['a head that is not JSON', { head: '[' }],
    ['a head that is no list', { head: '{}' }],
    ['a head with a part too few', { head: JSON.stringify(head.slice(0, -1)) }],
    ['a head with a part too many', { head: JSON.stringify([...head, '']) }],
    ['a version that is none', { head: JSON.stringify([...who, 'seven', 5, 1]) }],
    ['a number for a version', { head: JSON.stringify([...who, 7, 5, 1]) }],
    ['a text for a moment', { head: JSON.stringify([...who, '7.u7', '5', 1]) }],
    ['no time of loading', { head: JSON.stringify([...who, '7.u7', 5, null]) }],
    ['a head longer than all there is', { head: '['.repeat(10), body: Buffer.alloc(0), length: 0 }],
    ['a body that is not JSON', { body: Buffer.from('{"ok":true]') }],
    ['a body that claims to be longer', { length: 12 }],
    ['a body that is not gzip', { compression: 1 }],
    ['an empty body', { compression: 1, length: 0, body: gzipSync('') }],
    ['a gzip bomb that says what it is', { compression: 1, length: MAX_BODY_BYTES * 4, body: bomb }],
    ['a gzip bomb that says it is small', { compression: 1, length: 1024, body: bomb }],
  ]
  it.each(bad)('does not take %s', (_, change) => {
    expect(decodeEnvelope(seal({ ...good, ...change }), question)).toBeNull()
  })
})

it('does not encode what is too large, packed or unpacked', () => {
  let state = 1
  const noise = Array.from({ length: 200_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  })
  expect(encodeEnvelope(question, { ...facts, value: noise })).toBeNull()
  expect(encodeEnvelope(question, { ...facts, value: 'x'.repeat(MAX_BODY_BYTES) })).toBeNull()
  expect(encode('x'.repeat(MAX_BODY_BYTES - 2)).length).toBeLessThan(MAX_ENVELOPE_BYTES)
})
