import { baseZone } from '../dataset/base-zone'
import type { Definition } from '../dataset/definition'
import type { Condition } from '../storage/condition'
import type { LayoutState, VersionedState } from '../storage/layouts'
import { shiftRange } from '../time/comparison'
import { normaliseWhere, restrict, type Scope, scopeOf } from './filter'
import { type Frame, moveFrame, resolveFrame } from './frame'
import type { CompareRequest, ReportRequest } from './request'

/** What all parts of a report have in common. */
export interface Subject {
  readonly definition: Definition
  readonly state: LayoutState
  readonly frame: Frame
  /** The question's filter joined with the scope's. */
  readonly where: Condition
  readonly scope: Scope
}

/** Who asks, and when, in epoch milliseconds. */
export interface Asking {
  readonly claims: Readonly<Record<string, unknown>>
  readonly clock: number
}

/**
 * Reads the arguments that all parts of a report share.
 *
 * @throws BadInputError naming the argument.
 */
export function readSubject(
  definition: Definition,
  request: Pick<ReportRequest, 'range' | 'where' | 'timezone'>,
  state: VersionedState,
  asking: Asking,
): Subject {
  const scope = scopeOf(definition, asking.claims)
  const data = scope.isEmpty ? { ...state.data, dataFrom: null, dataTo: null } : state.data
  const frame = resolveFrame(definition, data, request, asking.clock)
  const where = restrict(normaliseWhere(definition, request.where), scope)
  return { definition, state: data, frame, where, scope }
}

/** The subject of a comparison: the same question over the earlier range. */
export function shiftSubject(subject: Subject, to: CompareRequest['to']): Subject {
  const { definition, frame } = subject
  const earlier = shiftRange(
    frame,
    frame.range,
    to,
    frame.zone,
    frame.now,
    definition.granularity,
    baseZone(definition),
  )
  return { ...subject, frame: moveFrame(frame, earlier, subject.state) }
}
