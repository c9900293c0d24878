/** @type {import('jest').Config} */
module.exports = {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  moduleNameMapper: { '^aggregraph$': '<rootDir>/src/index.ts' },
  testTimeout: 60_000,
  transform: { '^.+\\.(ts|js|mjs)$': ['@swc/jest', require('./swc.config.js')] },
  // These packages ship only ES modules, which Jest cannot require; swc turns them into CommonJS.
  transformIgnorePatterns: [
    '/node_modules/(?!(hyparquet|hyparquet-compressors|hysnappy|fzstd|temporal-polyfill|temporal-utils)/)',
  ],
}
