import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { decodeEnvelope, encodeEnvelope, MAX_BODY_BYTES, MAX_ENVELOPE_BYTES } from '../../../src/cache/envelope'
import type { Question } from '../../../src/cache/question'

const question: Question = { group: 'flights', topic: 'layout', scope: 'tenant=1', text: '{"a":1}' }
const version = { seq: 7, uuid: 'u7' }
const small = { rows: [1, null, ''] }
const large = { rows: Array.from({ length: 500 }, (_, index) => ({ origin: `A${index}`, flights: index })) }

function encode(value: unknown): Buffer {
  const bytes = encodeEnvelope(question, version, value)
  if (bytes === null) throw new Error('not encoded')
  return bytes
}

it('gives back any JSON value, and the version', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // JSON writes -0 as 0.
      const plain: unknown = JSON.parse(JSON.stringify(value))
      expect(decodeEnvelope(encode(plain), question)).toEqual({ version, value: plain })
    }),
  )
})

it.each([[null], [0], [''], [false], [[]], [{}]])('takes %j for a value, not for nothing', (value) => {
  expect(decodeEnvelope(encode(value), question)).toEqual({ version, value })
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
  const head = ['flights', 'layout', 'tenant=1', '{"a":1}', '7.u7']
  const body = Buffer.from('{"ok":true}')
  const good = { format: 1, compression: 0, head: JSON.stringify(head), length: body.length, body }

  it('takes those that say what they should', () => {
    expect(decodeEnvelope(seal(good), question)).toEqual({ version, value: { ok: true } })
  })

  const bomb = gzipSync(Buffer.alloc(MAX_BODY_BYTES * 4, 32))
  const bad: readonly [string, Partial<typeof good>][] = [
    ['another format', { format: 2 }],
    ['an unknown compression', { compression: 2 }],
    ['a head that is not JSON', { head: '[' }],
    ['a head that is no list', { head: '{}' }],
    ['a head with a part too few', { head: JSON.stringify(head.slice(0, 4)) }],
    ['a head with a part too many', { head: JSON.stringify([...head, '']) }],
    ['a version that is none', { head: JSON.stringify([...head.slice(0, 4), 'seven']) }],
    ['a number for a version', { head: JSON.stringify([...head.slice(0, 4), 7]) }],
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
  expect(encodeEnvelope(question, version, noise)).toBeNull()
  expect(encodeEnvelope(question, version, 'x'.repeat(MAX_BODY_BYTES))).toBeNull()
  expect(encode('x'.repeat(MAX_BODY_BYTES - 2)).length).toBeLessThan(MAX_ENVELOPE_BYTES)
})

/** Writes an envelope by hand, after the layout that the format says. */
function seal(parts: { format: number; compression: number; head: string; length: number; body: Buffer }): Buffer {
  const head = Buffer.from(parts.head)
  const start = Buffer.alloc(14)
  start.write('AGGR')
  start.writeUInt8(parts.format, 4)
  start.writeUInt8(parts.compression, 5)
  start.writeUInt32BE(head.length, 6)
  start.writeUInt32BE(parts.length, 10)
  const rest = Buffer.concat([head, parts.body])
  const checksum = createHash('sha256').update(start).update(rest).digest().subarray(0, 16)
  return Buffer.concat([start, checksum, rest])
}
