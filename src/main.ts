#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './cli/program'

/** The version of the package, from both `src` and `dist`. */
function readVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'))
  return manifest.version
}

// `aggregraph schema | head` closes the pipe early, which is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

void runProgram(process.argv.slice(2), process, readVersion()).then((code) => {
  process.exitCode = code
})
