// Lets Node require TypeScript files, for tools that load ormconfig.ts; compiled as Jest compiles the tests.
const { readFileSync } = require('node:fs')
const { transformSync } = require('@swc/core')
const options = require('../swc.config.js')

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename, swcrc: false })
  module._compile(code, filename)
}
