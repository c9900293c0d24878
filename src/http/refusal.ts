import { AggregraphError } from '../errors'

/** A request that HTTP itself refuses: its method, its headers, its body's form. */
export class HttpRefusal extends AggregraphError {
  readonly code = 'BAD_REQUEST'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}) {
    super(sentence)
    this.status = status
    this.headers = headers
  }
}
