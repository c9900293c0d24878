const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'
const ZERO = '0'.charCodeAt(0)
const TWO = '2'.charCodeAt(0)

/** Length of the whole response by its head, null when it comes in chunks, undefined while the head is not whole. */
function lengthOf(response: Buffer): number | null | undefined {
  const headEnd = response.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(response.toString('latin1', 0, headEnd))
  return length === null ? null : headEnd + HEAD_END.length + Number(length[1])
}

/**
 * Puts the responses of one connection together, of which one at a time is under way. A response as long as the one
 * before is taken for whole without being read, so that reading costs next to nothing beside serving.
 */
export class ResponseReader {
  #begun: Buffer | null = null
  #usual = 0

  /**
   * The whole response, head included, once this is its end; null until then.
   *
   * @throws when its status is not 200.
   */
  read(chunk: Buffer): Buffer | null {
    const response = this.#begun === null ? chunk : Buffer.concat([this.#begun, chunk])
    if (response.length !== this.#usual) {
      const length = lengthOf(response)
      const isWhole =
        length === null
          ? response.subarray(-LAST_CHUNK.length).equals(Buffer.from(LAST_CHUNK))
          : response.length === length
      if (!isWhole) {
        this.#begun = response
        return null
      }
    }
    this.#begun = null
    this.#usual = response.length
    if (response[9] !== TWO || response[10] !== ZERO || response[11] !== ZERO) {
      throw new Error(`Refused: ${response.toString('utf8', 0, 1_000)}`)
    }
    return response
  }
}

/** The body of a whole response. */
export function bodyOf(response: Buffer): string {
  const start = response.indexOf(HEAD_END) + HEAD_END.length
  if (lengthOf(response) !== null) return response.toString('utf8', start)
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = response.indexOf('\r\n', at)
    const size = Number.parseInt(response.toString('latin1', at, lineEnd), 16)
    if (size === 0) return Buffer.concat(parts).toString('utf8')
    parts.push(response.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
