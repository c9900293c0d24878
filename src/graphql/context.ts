import type { ReportSession } from '../report/report-session'

/** What every resolver gets: the one operation's questions. */
export interface GraphQLContext {
  readonly session: ReportSession
}
