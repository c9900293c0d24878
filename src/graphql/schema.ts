import 'reflect-metadata'
import { type GraphQLSchema, isInputObjectType, lexicographicSortSchema, printSchema } from 'graphql'
import { buildSchemaSync } from 'type-graphql'
import type { Definition } from '../dataset/definition'
import { createDatasetResolvers } from './dataset-resolvers'
import { createDatasetTypes } from './dataset-types'
import { createDatasetsResolver } from './datasets-resolver'
import { createTimeTypes } from './shared-types'

/** Builds the GraphQL schema that serves the given datasets. */
export function createSchema(definitions: readonly Definition[]): GraphQLSchema {
  const time = createTimeTypes(definitions)
  const resolvers = definitions.flatMap((definition) =>
    createDatasetResolvers(definition, createDatasetTypes(definition), time),
  )
  const schema = buildSchemaSync({
    resolvers: [createDatasetsResolver(definitions, time), ...resolvers],
    // Only what these resolvers reach: type-graphql remembers the types of every schema of the process.
    orphanedTypes: [],
    validate: false,
  })
  const range = schema.getType('RangeInput')
  // type-graphql has no option for it; graphql-js reads it when it validates, coerces and prints.
  if (isInputObjectType(range)) range.isOneOf = true
  return schema
}

/** Prints a schema as SDL, sorted, so that two prints differ only where the schemas do. */
export function printSortedSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}
