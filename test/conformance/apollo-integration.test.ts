import type { AddressInfo } from 'node:net'
import { ApolloServer, type BaseContext } from '@apollo/server'
import {
  type CreateServerForIntegrationTestsOptions,
  defineIntegrationTestSuite,
} from '@apollo/server-integration-testsuite'
import { createTestHttpApp } from '../support/http-app'

// The suite brings its own Apollo Servers and checks how HTTP reaches them. It expects Apollo's 400 where this server
// says 415, so that check is left to Apollo here.
defineIntegrationTestSuite(async (config, options?: CreateServerForIntegrationTestsOptions) => {
  const server = new ApolloServer<BaseContext>(config)
  await server.start()
  const createContext = options?.context
  const app = createTestHttpApp({
    graphql: () => server,
    createContext: async () => (createContext === undefined ? {} : createContext()),
    strictMediaTypes: false,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { server, url: `http://127.0.0.1:${port}/graphql`, extraCleanup: () => app.close() }
})
