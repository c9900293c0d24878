import type { IncomingHttpHeaders } from 'node:http'
import { MIMEType } from 'node:util'
import { HttpRefusal } from './refusal'

/** A request without its body. */
export interface RequestHead {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

export const LARGEST_URI_BYTES = 16_384
/** Request line and headers together: a URI of the largest size leaves as much again for the headers. */
export const LARGEST_HEAD_BYTES = 2 * LARGEST_URI_BYTES

const JSON_TYPE = 'application/json'
const LOCAL_NAMES: ReadonlySet<string> = new Set(['localhost', '[::1]'])

function isLocalName(name: string): boolean {
  return LOCAL_NAMES.has(name) || /^127(\.\d{1,3}){3}$/.test(name)
}

export function checkUri(request: RequestHead): void {
  if (request.url.length > LARGEST_URI_BYTES) {
    throw new HttpRefusal(414, `The URI is longer than ${LARGEST_URI_BYTES} bytes. Send the operation with POST.`)
  }
}

/**
 * Checks that a request was meant for this machine. A page elsewhere can make its own name resolve to this address (DNS
 * rebinding) and then read answers as if from its own origin, but it cannot make the browser send another name.
 *
 * `names` are accepted beside this machine's; null accepts every name.
 */
export function checkHost(request: RequestHead, names: readonly string[] | null): void {
  const { host } = request.headers
  if (host === undefined) throw new HttpRefusal(400, 'The request has no Host header.')
  if (names === null) return
  const name = host.toLowerCase().replace(/:\d*$/, '')
  if (!isLocalName(name) && !names.includes(name)) {
    throw new HttpRefusal(
      421,
      'The Host header does not name this machine. List the name in ALLOWED_HOSTS to accept it.',
    )
  }
}

/** Checks that a body can be read: JSON, in UTF-8, not compressed. */
export function checkMediaType(request: RequestHead): void {
  if (request.method !== 'POST') return
  const { 'content-type': contentType, 'content-encoding': contentEncoding = 'identity' } = request.headers
  if (contentEncoding.toLowerCase() !== 'identity') {
    throw new HttpRefusal(415, 'The body is compressed. Send it without Content-Encoding.', {
      'accept-encoding': 'identity',
    })
  }
  const { essence, charset } = readMediaType(contentType)
  if (essence !== JSON_TYPE) {
    throw new HttpRefusal(415, 'The Content-Type of a POST must be application/json.', {
      'accept-post': 'application/json',
    })
  }
  if (charset !== 'utf-8' && charset !== 'utf8') throw new HttpRefusal(415, 'The charset of the body must be utf-8.')
}

/** Tells whether a body says that it is JSON. */
export function isJson(request: RequestHead): boolean {
  return readMediaType(request.headers['content-type']).essence === JSON_TYPE
}

// Making one takes longer than reading a body of a few hundred bytes.
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a JSON body. */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) throw new HttpRefusal(400, 'The body is empty. Send an object with `query`.')
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    throw new HttpRefusal(400, 'Invalid JSON in the body.')
  }
}

interface MediaType {
  readonly essence: string
  readonly charset: string
}

const PLAIN_JSON: MediaType = { essence: JSON_TYPE, charset: 'utf-8' }

function readMediaType(contentType: string | undefined): MediaType {
  // What nearly every client sends need not be taken apart each time.
  if (contentType === JSON_TYPE) return PLAIN_JSON
  try {
    const { essence, params } = new MIMEType(contentType ?? '')
    return { essence, charset: (params.get('charset') ?? 'utf-8').toLowerCase() }
  } catch {
    return { essence: '', charset: '' }
  }
}
