import type { ApolloServerPlugin, BaseContext, HTTPGraphQLRequest } from '@apollo/server'

/** What the log line of a request says about its operation. */
export interface OperationRecord {
  operation: string | null
  codes: readonly string[]
}

/** A request whose operation is to be recorded. */
export interface RecordedRequest extends HTTPGraphQLRequest {
  readonly record: OperationRecord
}

function isRecorded(request: HTTPGraphQLRequest | undefined): request is RecordedRequest {
  return request !== undefined && 'record' in request
}

/** Creates the plugin that notes the name of the operation and the codes of its errors on the request. */
export function createOperationRecorder(): ApolloServerPlugin<BaseContext> {
  return {
    requestDidStart: async ({ request: { http } }) => {
      if (!isRecorded(http)) return
      return {
        didResolveOperation: async ({ operationName }) => {
          http.record.operation = operationName
        },
        willSendResponse: async ({ response: { body } }) => {
          const errors = (body.kind === 'single' ? body.singleResult : body.initialResult).errors ?? []
          http.record.codes = [...new Set(errors.map((error) => String(error.extensions?.code)))]
        },
      }
    },
  }
}
