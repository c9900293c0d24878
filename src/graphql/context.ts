import type { ReportSession } from '../report/report-service'

/** What every resolver gets: the one operation's questions. */
export interface GraphQLContext {
  readonly session: ReportSession
}
