import { connect } from 'node:net'
import { DEFAULT_HTTP_LIMITS } from '../../src/http/http-app'
import { createFailingSchema } from '../support/failing-schema'
import { startTestApp, type TestApp } from '../support/http-app'

const LIMITS = { ...DEFAULT_HTTP_LIMITS, headersTimeoutMs: 300, receiveTimeoutMs: 600 }

interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** Sends bytes as they are and reads until the server closes the connection. */
async function send(port: number, bytes: string): Promise<RawAnswer> {
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
  const text = Buffer.concat(chunks).toString('utf8')
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  return { status: Number(head.split(' ')[1]), head, body }
}

const HOST = 'Host: localhost\r\n'
const JSON_HEAD = `POST /graphql HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`

describe('what never becomes a request', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startTestApp({ schema: createFailingSchema(), http: { limits: LIMITS } })
  })
  afterAll(() => app.stop())

  it.each([
    ['a line that is no HTTP', 'nonsense\r\n\r\n', 400],
    ['a method that does not exist', `BREW /graphql HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a length that is no number', `${JSON_HEAD}Content-Length: many\r\n\r\n`, 400],
    ['two lengths of a body', `${JSON_HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['a header that is no header', `GET /graphql HTTP/1.1\r\n${HOST}a b c\r\n\r\n`, 400],
    ['no Host', 'GET /graphql?query={ok} HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['headers that are too large', `GET /graphql HTTP/1.1\r\n${HOST}x: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['a URI that is too long for any header', `GET /graphql?${'x'.repeat(60_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
    ['an expectation that cannot be met', `${JSON_HEAD}Expect: tea\r\nContent-Length: 2\r\n\r\n{}`, 417],
    ['headers that never end', `GET /graphql HTTP/1.1\r\n${HOST}`, 408],
    ['a body that never ends', `${JSON_HEAD}Content-Length: 50\r\n\r\n{`, 408],
    ['chunks that never end', `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`, 408],
  ])('%s', async (_title, bytes, status) => {
    const answer = await send(app.port, bytes)
    expect(answer.status).toBe(status)
    expect(answer.head.toLowerCase()).toContain('content-type: application/json')
    expect(JSON.parse(answer.body)).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST' } }],
    })
    const next = await fetch(`${app.url}/graphql?query={ok}`)
    expect([next.status, await next.json()]).toEqual([200, { data: { ok: true } }])
  })

  it('a client that leaves early leaves nothing behind', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(app.port, '127.0.0.1', () => {
        socket.write(`GET /graphql?query={hang(obedient:true)} HTTP/1.1\r\n${HOST}\r\n`, () => socket.destroy())
      })
      socket.on('close', () => resolve())
    })
    const next = await fetch(`${app.url}/graphql?query={ok}`)
    expect(next.status).toBe(200)
    expect(app.lines.filter((line) => line.msg === 'Internal error')).toEqual([])
  })
})
