import { QUESTIONS } from './questions'

const HEADERS = 'Host: 127.0.0.1\r\nAccept: application/graphql-response+json\r\n'

/** The same operation sent by POST, as bytes. */
export function writePost(document: string): string {
  const body = JSON.stringify({ query: document })
  return `POST /graphql HTTP/1.1\r\n${HEADERS}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** The same operation sent by GET; with the tag of an answer that the client has, if any. */
export function writeGet(document: string, etag: string | null = null): string {
  const condition = etag === null ? '' : `If-None-Match: ${etag}\r\n`
  return `GET /graphql?query=${encodeURIComponent(document)} HTTP/1.1\r\n${HEADERS}${condition}\r\n`
}

/** How a question is asked. */
export type Form = 'hot' | 'get' | 'conditional' | 'unique'

const posts = QUESTIONS.map(({ document }) => Buffer.from(writePost(document)))
const gets = QUESTIONS.map(({ document }) => Buffer.from(writeGet(document)))
let unique = 0

/** The bytes of a question. `unique` is an operation that nobody has sent before: no cache of whole answers knows it. */
export function writeRequest(question: number, form: Form, etag: string | null): Buffer | string {
  const document = QUESTIONS[question]?.document ?? ''
  if (form === 'get') return gets[question] ?? ''
  if (form === 'conditional') return writeGet(document, etag)
  if (form === 'hot') return posts[question] ?? ''
  unique += 1
  const mark = `u${process.pid}x${unique}`
  return writePost(unique % 2 === 0 ? `${document} # ${mark}` : document.replace(/^query \w+/, `query ${mark}`))
}
