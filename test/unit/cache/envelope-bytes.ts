import { createHash } from 'node:crypto'

/** What an envelope says, for writing one by hand. */
export interface EnvelopeParts {
  readonly format: number
  readonly compression: number
  /** Its text. */
  readonly head: string
  /** Bytes that the body claims to have unpacked. */
  readonly length: number
  readonly body: Buffer
}

/** Writes an envelope after the layout that the format says, with the right checksum. */
export function seal({ format, compression, head, length, body }: EnvelopeParts): Buffer {
  const start = Buffer.alloc(14)
  start.write('AGGR')
  start.writeUInt8(format, 4)
  start.writeUInt8(compression, 5)
  start.writeUInt32BE(Buffer.byteLength(head), 6)
  start.writeUInt32BE(length, 10)
  const rest = Buffer.concat([Buffer.from(head), body])
  const checksum = createHash('sha256').update(start).update(rest).digest().subarray(0, 16)
  return Buffer.concat([start, checksum, rest])
}
