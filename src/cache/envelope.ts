import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { FORMAT_VERSION, type Question } from './question'
import { formatVersion, parseVersion, type Version } from './version'

/** An encoded entry of more bytes is not kept. */
export const MAX_ENVELOPE_BYTES = 1024 * 1024
/** A body of more bytes is neither written nor unpacked, whatever it claims. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024
const COMPRESS_FROM_BYTES = 1024

// Bytes: magic 0–3, format 4, compression 5, length of the head 6–9, of the unpacked body 10–13, checksum 14–29 (over
// all the rest), the head (a JSON list: whose entry this is, its version, its moment, how long it took), the body (JSON).
const MAGIC = Buffer.from('AGGR')
const CHECKSUM_START = 14
const HEAD_START = 30
const PLAIN = 0
const GZIP = 1

/** What is kept for a question: a value, and what is known of it. */
export interface Entry {
  /** The version that its loader saw. */
  readonly version: Version
  /** The moment that the value shows, in epoch milliseconds; null when nobody can tell. */
  readonly asOf: number | null
  /** How long loading it took. */
  readonly loadMs: number
  readonly value: unknown
}

/**
 * The bytes of an entry: magic, format version, the question's identity, the version, a checksum and the body, packed
 * with gzip level 1 from 1 KiB. Null when they would be more than 1 MiB, or the body more than 16 MiB unpacked: such an
 * entry is not kept. The value must be JSON.
 */
export function encodeEnvelope(question: Question, { version, asOf, loadMs, value }: Entry): Buffer | null {
  const body = Buffer.from(JSON.stringify(value))
  if (body.length > MAX_BODY_BYTES) return null
  const compression = body.length >= COMPRESS_FROM_BYTES ? GZIP : PLAIN
  const packed = compression === GZIP ? gzipSync(body, { level: 1 }) : body
  const head = Buffer.from(JSON.stringify([...identify(question), formatVersion(version), asOf, Math.round(loadMs)]))
  if (HEAD_START + head.length + packed.length > MAX_ENVELOPE_BYTES) return null

  const start = Buffer.alloc(HEAD_START)
  MAGIC.copy(start)
  start.writeUInt8(FORMAT_VERSION, 4)
  start.writeUInt8(compression, 5)
  start.writeUInt32BE(head.length, 6)
  start.writeUInt32BE(body.length, 10)
  const bytes = Buffer.concat([start, head, packed])
  checksum(bytes).copy(bytes, CHECKSUM_START)
  return bytes
}

/**
 * The entry that the bytes hold for this question, or null: for another question or format, for truncated, altered or
 * foreign bytes, and for a body that unpacks to more than it says. Never throws.
 */
export function decodeEnvelope(bytes: Buffer, question: Question): Entry | null {
  try {
    return readEnvelope(bytes, question)
  } catch {
    return null
  }
}

function readEnvelope(bytes: Buffer, question: Question): Entry | null {
  if (bytes.length < HEAD_START || bytes.length > MAX_ENVELOPE_BYTES) return null
  if (!bytes.subarray(0, 4).equals(MAGIC) || bytes.readUInt8(4) !== FORMAT_VERSION) return null
  if (!checksum(bytes).equals(bytes.subarray(CHECKSUM_START, HEAD_START))) return null

  const bodyStart = HEAD_START + bytes.readUInt32BE(6)
  const bodyLength = bytes.readUInt32BE(10)
  if (bodyStart > bytes.length || bodyLength > MAX_BODY_BYTES) return null
  const head = readHead(bytes.toString('utf8', HEAD_START, bodyStart), question)
  if (head === null) return null

  const packed = bytes.subarray(bodyStart)
  const body = unpack(packed, bytes.readUInt8(5), bodyLength)
  return body?.length === bodyLength ? { ...head, value: JSON.parse(body.toString()) } : null
}

function readHead(head: string, question: Question): Omit<Entry, 'value'> | null {
  const parts: unknown = JSON.parse(head)
  if (!Array.isArray(parts)) return null
  const expected = identify(question)
  if (parts.length !== expected.length + 3 || expected.some((text, index) => parts[index] !== text)) return null
  const [text, asOf, loadMs]: readonly unknown[] = parts.slice(expected.length)
  const version = typeof text === 'string' ? parseVersion(text) : null
  const isMoment = asOf === null || typeof asOf === 'number'
  return version !== null && isMoment && typeof loadMs === 'number' ? { version, asOf, loadMs } : null
}

function unpack(packed: Buffer, compression: number, length: number): Buffer | null {
  if (compression === PLAIN) return packed
  // A limit of 0 would mean none.
  if (compression === GZIP && length > 0) return gunzipSync(packed, { maxOutputLength: length })
  return null
}

function identify({ group, topic, scope, text }: Question): readonly string[] {
  return [group, topic, scope, text]
}

function checksum(bytes: Buffer): Buffer {
  return createHash('sha256')
    .update(bytes.subarray(0, CHECKSUM_START))
    .update(bytes.subarray(HEAD_START))
    .digest()
    .subarray(0, HEAD_START - CHECKSUM_START)
}
