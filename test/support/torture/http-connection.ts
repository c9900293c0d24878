import { connect, type Socket } from 'node:net'

/** An answer as it came over the wire. */
export interface HttpAnswer {
  readonly status: number
  readonly etag: string | null
  readonly body: string
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** A keep-alive connection that asks one thing at a time, and costs little: most of what a client spends is the server's. */
export class HttpConnection {
  #socket: Socket | null = null
  #chunks: Buffer = Buffer.alloc(0)
  #waiting: { resolve(answer: HttpAnswer): void; reject(error: Error): void } | null = null

  constructor(private readonly port: number) {}

  /** Sends a request and resolves with its answer. Rejects when the connection cannot be made or ends before. */
  ask(request: Buffer | string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket ??= this.#open()
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #open(): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true })
    this.#chunks = Buffer.alloc(0)
    let failure = new Error('The connection ended')
    socket.on('data', (chunk) => {
      if (this.#socket === socket) this.#hear(chunk)
    })
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = null
      this.#settle()?.reject(failure)
    })
    return socket
  }

  #settle() {
    const waiting = this.#waiting
    this.#waiting = null
    return waiting
  }

  #hear(chunk: Buffer): void {
    this.#chunks = this.#chunks.length === 0 ? chunk : Buffer.concat([this.#chunks, chunk])
    const end = this.#chunks.indexOf(HEAD_END)
    if (end < 0) return
    const head = this.#chunks.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const length = status === 304 ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) {
      this.close()
      this.#settle()?.reject(new Error(`An answer without a length: ${head}`))
      return
    }
    const start = end + HEAD_END.length
    if (this.#chunks.length < start + length) return
    const body = this.#chunks.toString('utf8', start, start + length)
    this.#chunks = this.#chunks.subarray(start + length)
    if (/\r\nconnection: *close/i.test(head)) this.close()
    this.#settle()?.resolve({ status, etag: /\r\netag: *([^\r]+)/i.exec(head)?.[1] ?? null, body })
  }
}
