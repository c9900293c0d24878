import { ApolloServer, type ApolloServerPlugin, type BaseContext } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { type GraphQLFormattedError, type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql'
import type { Logger } from 'pino'
import { createTextStore } from '../cache/text-store'
import { createDocumentStore } from './document-store'
import { createErrorFormatter, headersOf, mapExecution, mapRefusal } from './error-map'
import { createLimitsRule, createVariableLimits, DEFAULT_LIMITS, type OperationLimits } from './limits'
import { createOperationRecorder } from './operation-record'
import { createPrepareDocuments } from './prepare-documents'

/** graphql-js adds one error that says there were more, which makes five. */
const LISTED_ERRORS = 4
/** What persisted queries may take. A client whose query went sends it again, so it is lost to nobody. */
const PERSISTED_BYTES = 8 * 1024 * 1024

export interface ApolloServerOptions<Context extends BaseContext> {
  readonly schema: GraphQLSchema
  /** Whether the schema may be asked for. */
  readonly introspection: boolean
  /** Whether errors may hint at names of the schema with "Did you mean". */
  readonly suggestions: boolean
  readonly logger: Logger
  readonly limits?: OperationLimits
  /** Added after our own, so that what they throw in `didResolveOperation` is mapped like the rest. */
  readonly plugins?: readonly ApolloServerPlugin<Context>[]
}

/**
 * Creates an Apollo Server that is not started yet: limits before execution, our errors by their code, nothing sent
 * home, no signal handler, no landing page.
 *
 * Cross-site request forgery needs no ceremony: credentials are only ever in headers, which no other site can set, GET
 * never mutates, and POST must be `application/json`.
 */
export function createApolloServer<Context extends BaseContext>(
  options: ApolloServerOptions<Context>,
): ApolloServer<Context> {
  const { schema, introspection, suggestions, logger, limits = DEFAULT_LIMITS, plugins = [] } = options
  const parseOptions = { maxTokens: limits.tokens }
  const validationRules = [createLimitsRule(limits), ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])]
  const store = createDocumentStore()
  return new ApolloServer<Context>({
    schema,
    logger,
    introspection: true,
    csrfPrevention: false,
    // A text never differs from its hash, so time takes none away.
    persistedQueries: { cache: createTextStore(PERSISTED_BYTES), ttl: null },
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    formatError: createErrorFormatter({ log: logger, suggestions }),
    parseOptions,
    validationRules,
    documentStore: store,
    validationOptions: { maxErrors: LISTED_ERRORS },
    executionOptions: { maxCoercionErrors: LISTED_ERRORS },
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      createPrepareDocuments({ schema, store, parseOptions, limits }),
      createVariableLimits(limits),
      ...plugins,
      createStatusMapper(logger),
      createOperationRecorder(),
    ],
  })
}

/** Creates the plugin that gives an operation its status, and takes `data` away where the status leaves none. */
function createStatusMapper(logger: Logger): ApolloServerPlugin<BaseContext> {
  return {
    unexpectedErrorProcessingRequest: async ({ error }) => {
      logger.error({ err: error }, 'Apollo Server failed')
    },
    requestDidStart: async () => ({
      willSendResponse: async ({ response: { http, body } }) => {
        if (body.kind !== 'single' || body.singleResult.errors === undefined) return
        const { data, errors, ...rest } = body.singleResult
        const status =
          data === undefined
            ? (mapRefusal(errors.find(isTooComplex) ?? errors[0]) ?? http.status)
            : mapExecution(data, errors)
        if (status === undefined || (data !== undefined && status < 400)) return
        http.status = status
        for (const [name, value] of Object.entries(headersOf(status))) http.headers.set(name, value)
        // A document that is too large may be invalid as well; the first is what its author has to know.
        const tooComplex = errors.filter(isTooComplex)
        body.singleResult = { ...rest, errors: tooComplex.length > 0 ? tooComplex : errors }
      },
    }),
  }
}

function isTooComplex(error: GraphQLFormattedError): boolean {
  return error.extensions?.code === 'QUERY_TOO_COMPLEX'
}
