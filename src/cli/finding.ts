import type { Fault } from '../errors'

/** One thing that `aggregraph doctor` has looked at. */
export interface Finding extends Fault {
  /** `advice` works, but could be better; `fault` does not work. */
  readonly kind: 'ok' | 'advice' | 'fault'
}

export function ok(subject: string, sentence: string): Finding {
  return { kind: 'ok', subject, sentence }
}

export function advice(subject: string, sentence: string): Finding {
  return { kind: 'advice', subject, sentence }
}

export function fault(subject: string, sentence: string): Finding {
  return { kind: 'fault', subject, sentence }
}
