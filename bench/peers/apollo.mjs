import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled'
import responseCachePlugin from '@apollo/server-plugin-response-cache'
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify'
import { fastify } from 'fastify'
import { announce, createPool, createResolvers, readSeries, SCHEMA, TTL_SECONDS } from './flights.mjs'

// `response-cache`: whole answers are cached; `memo`: what the resolver read is remembered for good; `plain`: neither.
const [mode] = process.argv.slice(2)
const pool = createPool()
const known = new Map()

function remember(range) {
  const key = `${range.from} ${range.to}`
  let series = known.get(key)
  if (series === undefined) {
    series = readSeries(pool, range)
    known.set(key, series)
  }
  return series
}

const app = fastify()
const apollo = new ApolloServer({
  typeDefs: SCHEMA,
  resolvers: createResolvers(mode === 'memo' ? remember : (range) => readSeries(pool, range)),
  plugins: [
    fastifyApolloDrainPlugin(app),
    ...(mode === 'response-cache'
      ? [ApolloServerPluginCacheControl({ defaultMaxAge: TTL_SECONDS }), responseCachePlugin()]
      : [ApolloServerPluginCacheControlDisabled()]),
  ],
})
await apollo.start()
app.route({ url: '/graphql', method: ['GET', 'POST'], handler: fastifyApolloHandler(apollo) })

announce(await app.listen({ host: '127.0.0.1', port: 0 }))
