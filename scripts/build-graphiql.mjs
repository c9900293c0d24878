// Bundles the GraphiQL page into dist/graphiql: one page, its scripts, styles, fonts and editor workers, all served by
// this server. Does nothing when neither the page nor a package it is made from has changed; --force builds anyway.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const page = join(root, 'src/http/graphiql-page')
const output = join(root, 'dist/graphiql')
const packages = [
  'esbuild',
  'graphiql',
  '@graphiql/react',
  '@graphiql/plugin-explorer',
  '@graphiql/toolkit',
  'graphql',
  'monaco-editor',
  'monaco-graphql',
  'react',
  'react-dom',
]
const workers = {
  editor: 'monaco-editor/esm/vs/editor/editor.worker.js',
  graphql: 'monaco-graphql/esm/graphql.worker.js',
  json: 'monaco-editor/esm/vs/language/json/json.worker.js',
}

async function hashInputs() {
  const hash = createHash('sha256')
  const files = (await readdir(page)).sort().map((file) => join(page, file))
  for (const file of [fileURLToPath(import.meta.url), ...files]) hash.update(await readFile(file)).update('\0')
  for (const name of packages) {
    const { version } = JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8'))
    hash.update(`${name}@${version}\0`)
  }
  return hash.digest('hex')
}

async function readStamp() {
  try {
    return await readFile(join(output, '.inputs'), 'utf8')
  } catch {
    return null
  }
}

/** File name of each entry point, by the entry's own name. */
function listOutputs(metafile) {
  const outputs = {}
  for (const [file, { entryPoint, cssBundle }] of Object.entries(metafile.outputs)) {
    if (entryPoint === undefined) continue
    outputs[basename(entryPoint)] = basename(file)
    // Parts that are loaded later have style sheets of their own; the page's already holds all of them.
    if (cssBundle !== undefined && basename(entryPoint) === 'page.tsx') outputs['page.css'] = basename(cssBundle)
  }
  return outputs
}

async function bundle(outdir) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    minify: true,
    metafile: true,
    outdir,
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    define: { 'process.env.NODE_ENV': '"production"' },
  }
  const built = await build({ ...common, format: 'iife', entryPoints: Object.values(workers) })
  const files = listOutputs(built.metafile)
  const names = Object.fromEntries(Object.entries(workers).map(([label, entry]) => [label, files[basename(entry)]]))
  const { metafile } = await build({
    ...common,
    entryPoints: [join(page, 'page.tsx')],
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    loader: { '.ttf': 'file', '.woff': 'file', '.woff2': 'file', '.svg': 'file' },
    define: { ...common.define, WORKERS: JSON.stringify(names) },
  })
  const outputs = listOutputs(metafile)
  const html = await readFile(join(page, 'index.html'), 'utf8')
  await writeFile(
    join(outdir, 'index.html'),
    html.replace('{{page.css}}', outputs['page.css']).replace('{{page.js}}', outputs['page.tsx']),
  )
}

async function measure(folder) {
  const files = await readdir(folder)
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size))
  return { count: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

const stamp = await hashInputs()
if (!process.argv.includes('--force') && (await readStamp()) === stamp) {
  console.log('GraphiQL: up to date')
} else {
  const started = performance.now()
  // Built beside the old one and swapped in whole, so that a stopped build leaves nothing half-made.
  const temporary = `${output}.${process.pid}.new`
  await mkdir(temporary, { recursive: true })
  try {
    await bundle(temporary)
    await writeFile(join(temporary, '.inputs'), stamp)
    await rm(output, { recursive: true, force: true })
    await rename(temporary, output)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  const { count, bytes } = await measure(output)
  console.log(
    `GraphiQL: ${count} files, ${(bytes / 1e6).toFixed(1)} MB, in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  )
}
