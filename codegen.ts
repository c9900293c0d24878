import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types for the typed client of the examples, from the schema of the datasets that ship. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['examples/typed-client/*.ts'],
  generates: {
    'examples/typed-client/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // A document is its text: nothing of graphql-js is needed where it runs.
        documentMode: 'string',
        scalars: {
          SafeInt: 'number',
          DateTime: 'string',
          Date: 'string',
          DateOrDateTime: 'string',
          TimeZone: 'string',
        },
        // A scalar that is not listed is an error here, not an `any` there.
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        immutableTypes: true,
        skipTypename: true,
        // Every field that was asked for is there, if only as null.
        avoidOptionals: { field: true, inputValue: false, object: false, defaultValue: false },
      },
    },
  },
}

export default config
