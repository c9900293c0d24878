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

/** How a question is asked: `respelled` in other words, `unique` so that no cache of whole answers can know it. */
export type Form = 'hot' | 'get' | 'conditional' | 'respelled' | 'unique'

const posts = QUESTIONS.map(({ document }) => Buffer.from(writePost(document)))
const gets = QUESTIONS.map(({ document }) => Buffer.from(writeGet(document)))
let unique = 0

/** The bytes of a question. */
export function writeRequest(question: number, form: Form, etag: string | null): Buffer | string {
  const document = QUESTIONS[question]?.document ?? ''
  if (form === 'get') return gets[question] ?? ''
  if (form === 'conditional') return writeGet(document, etag)
  if (form === 'hot') return posts[question] ?? ''
  unique += 1
  const mark = `u${process.pid}x${unique}`
  if (form === 'respelled') {
    return writePost(unique % 2 === 0 ? `${document} # ${mark}` : document.replace(/^query \w+/, `query ${mark}`))
  }
  return writePost(document.replace(/\}$/, `${writeUnique(unique)} }`))
}

/** A selection that no other is like, and that asks for nothing but the name of the type: a number in twos. */
function writeUnique(number: number): string {
  const digits = (process.pid * 2 ** 14 + number).toString(2)
  return [...digits].map((digit) => (digit === '1' ? '__typename' : '... { __typename }')).join(' ')
}
