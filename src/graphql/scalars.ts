import { GraphQLError, GraphQLScalarType, Kind } from 'graphql'
import { BadInputError } from '../errors'
import { parseDateOrDateTime } from '../time/date-or-time'
import { canonicalTimeZone } from '../time/time-zone'

interface TextScalar {
  readonly name: string
  readonly description: string
  readonly isValid: (text: string) => boolean
  /** What would be right. */
  readonly wanted: string
}

/** A scalar that is a string on the wire and inside, checked when it comes in. */
function createTextScalar({ name, description, isValid, wanted }: TextScalar): GraphQLScalarType<string, string> {
  const parse = (value: unknown): string => {
    if (typeof value === 'string' && isValid(value)) return value
    throw new GraphQLError(`${name} must be ${wanted}.`)
  }
  return new GraphQLScalarType<string, string>({
    name,
    description,
    serialize: String,
    parseValue: parse,
    parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
  })
}

export const TimeZoneScalar = createTextScalar({
  name: 'TimeZone',
  description: 'IANA name of a time zone, or a link to one, such as Europe/Madrid or Asia/Calcutta.',
  isValid: (text) => canonicalTimeZone(text) !== null,
  wanted: 'the IANA name of a time zone, such as "Europe/Madrid"',
})

export const DateTimeScalar = createTextScalar({
  name: 'DateTime',
  description: 'RFC 3339 date and time with an offset, such as 2001-03-25T00:00:00+01:00.',
  isValid: (text) => parseDateOrDateTime(text)?.kind === 'instant',
  wanted: 'a date and time that exists, with an offset, such as "2001-03-25T00:00:00Z"',
})

export const DateScalar = createTextScalar({
  name: 'Date',
  description: 'Calendar date, such as 2001-03-25.',
  isValid: (text) => parseDateOrDateTime(text)?.kind === 'date',
  wanted: 'a date that exists, such as "2001-03-25"',
})

export const DateOrDateTimeScalar = createTextScalar({
  name: 'DateOrDateTime',
  description:
    'A date, meaning midnight in the zone of the report (2001-03-25), or an RFC 3339 date and time (2001-03-25T00:00:00Z).',
  isValid: (text) => parseDateOrDateTime(text) !== null,
  wanted: 'a date or time that exists, such as "2001-03-25" or "2001-03-25T00:00:00Z"',
})

/** Integers that JavaScript holds exactly. A larger one is an error, never a rounded number. */
export const SafeIntScalar = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  description: 'Whole number from −(2⁵³ − 1) to 2⁵³ − 1.',
  serialize: (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    throw new BadInputError(
      'range',
      'The value is beyond 2⁵³ − 1, the largest whole number that JSON readers hold exactly. Ask for a shorter range.',
    )
  },
})
