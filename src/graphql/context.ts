import type { FieldNode } from 'graphql'
import type { ReportSession } from '../report/report-session'
import type { ReportRequest } from '../report/request'

/** What every resolver gets: the one operation's questions. */
export interface GraphQLContext {
  readonly session: ReportSession
  /** What the fields of the root ask for, by the first of their nodes, once it was read before execution. */
  requests?: ReadonlyMap<FieldNode, ReportRequest>
}
