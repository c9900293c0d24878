import type { Fault } from '../errors'
import { suggestion } from './nearest'

/** Gathers the faults of one class or member, so that all of them are told together. */
export interface Complaints {
  /** `Flights` or `Flights.delay`. */
  readonly subject: string
  readonly faults: readonly Fault[]
  add(sentence: string): void
  /** The complaints of one member, gathered into the same list. */
  of(member: string): Complaints
}

/** Returns an empty list of complaints about the subject. */
export function createComplaints(subject: string, faults: Fault[] = []): Complaints {
  return {
    subject,
    faults,
    add: (sentence) => {
      if (!faults.some((fault) => fault.subject === subject && fault.sentence === sentence)) {
        faults.push({ subject, sentence })
      }
    },
    of: (member) => createComplaints(`${subject}.${member}`, faults),
  }
}

/** An object of options as it was written, its keys known. */
export type RawOptions = Readonly<Record<string, unknown>>

/** Reads an object of options; complains of anything else, and of every key that is not known. `what` names it for people. */
export function readObject(value: unknown, what: string, keys: readonly string[], complaints: Complaints): RawOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complaints.add(`${what} must be an object of options.`)
    return {}
  }
  const raw: RawOptions = { ...value }
  for (const key of Object.keys(raw)) {
    if (!keys.includes(key)) complaints.add(`"${key}" is not an option of ${what}.${suggestion(key, keys)}`)
  }
  return raw
}

/** Reads a text that is not empty, or null when the option is absent. `example` shows a right one. */
export function readText(raw: RawOptions, key: string, example: string, complaints: Complaints): string | null {
  const value = raw[key]
  if (value === undefined) return null
  if (typeof value === 'string' && value.trim() !== '') return value
  complaints.add(`${key} must be a text that is not empty, for example ${example}.`)
  return null
}

/** Reads one of a few words, or null when the option is absent or wrong. */
export function readChoice<Word extends string>(
  raw: RawOptions,
  key: string,
  words: readonly Word[],
  complaints: Complaints,
): Word | null {
  const value = raw[key]
  if (value === undefined) return null
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  complaints.add(`${key} ${JSON.stringify(value)} is not known; it is one of ${words.join(', ')}.`)
  return null
}
