import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { LARGEST_URI_BYTES } from './request-checks'

interface SocketFault {
  readonly status: string
  readonly sentence: string
}

/** An error of Node's HTTP parser; `rawPacket` is what it was reading. */
export interface ParserError extends Error {
  readonly code?: string
  readonly rawPacket?: unknown
}

function recogniseFault({ code, rawPacket }: ParserError): SocketFault {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: '408 Request Timeout', sentence: 'The request did not arrive in time.' }
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const line = Buffer.isBuffer(rawPacket) ? rawPacket.indexOf('\r\n') : 0
    return line < 0 || line > LARGEST_URI_BYTES
      ? { status: '414 URI Too Long', sentence: 'The URI is too long.' }
      : { status: '431 Request Header Fields Too Large', sentence: 'The headers are too large.' }
  }
  return { status: '400 Bad Request', sentence: 'This is not an HTTP request.' }
}

/**
 * Makes a server answer what never becomes a request (it cannot be parsed, is too large or too slow) like every other
 * error, and close the connection.
 */
export function createSocketAnswer(): {
  readonly watch: (server: Server) => void
  readonly answer: (error: ParserError, socket: Duplex) => void
} {
  // A response that has begun must not be cut in two by an error about the request behind it.
  const answering = new WeakMap<Duplex, ServerResponse>()
  return {
    watch: (server) => {
      server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
        answering.set(request.socket, response)
      })
      server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
        const body = formatBody('The only expectation this server meets is 100-continue.')
        response
          .writeHead(417, {
            'content-type': 'application/json; charset=utf-8',
            'content-length': Buffer.byteLength(body),
            connection: 'close',
          })
          .end(body)
      })
    },
    answer: (error, socket) => {
      const response = answering.get(socket)
      const isHalfSent = response?.headersSent === true && !response.writableFinished
      if (error.code === 'ECONNRESET' || !socket.writable || isHalfSent) {
        socket.destroy()
        return
      }
      const { status, sentence } = recogniseFault(error)
      const body = formatBody(sentence)
      const head = [
        `HTTP/1.1 ${status}`,
        'content-type: application/json; charset=utf-8',
        `content-length: ${Buffer.byteLength(body)}`,
        'cache-control: no-store',
        'x-content-type-options: nosniff',
        'connection: close',
      ]
      // A peer that never reads must not keep the socket open.
      socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
    },
  }
}

function formatBody(message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
}
