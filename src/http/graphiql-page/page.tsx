import 'graphiql/style.css'
import '@graphiql/plugin-explorer/style.css'
import './page.css'
import { explorerPlugin } from '@graphiql/plugin-explorer'
import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql'
import { createRoot } from 'react-dom/client'

interface ExampleQuery {
  readonly title: string
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
}

// Names of the worker files, put in by the build.
declare const WORKERS: { readonly editor: string; readonly graphql: string; readonly json: string }

function startWorker(label: string): Worker {
  const file = label === 'graphql' ? WORKERS.graphql : label === 'json' ? WORKERS.json : WORKERS.editor
  return new Worker(`/graphiql/${file}`, { name: label })
}

async function loadExamples(): Promise<readonly ExampleQuery[]> {
  const response = await fetch('/graphiql/examples.json')
  return response.ok ? response.json() : []
}

async function openPage(): Promise<void> {
  Object.assign(globalThis, { MonacoEnvironment: { getWorker: (_id: string, label: string) => startWorker(label) } })
  const element = document.getElementById('graphiql')
  if (element === null) throw new Error('The page has no element "graphiql".')

  const examples = await loadExamples()
  const tabs = examples.map(({ title, query, variables }) => ({
    query: `# ${title}\n${query}`,
    variables: variables === undefined ? null : JSON.stringify(variables, null, 2),
    headers: null,
  }))
  createRoot(element).render(
    <GraphiQL
      fetcher={createGraphiQLFetcher({ url: '/graphql' })}
      plugins={[HISTORY_PLUGIN, explorerPlugin()]}
      {...(tabs.length > 0 ? { defaultTabs: tabs } : {})}
    />,
  )
}

void openPage()
