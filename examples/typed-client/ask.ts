import type { TypedDocumentString } from './generated/graphql'

/** Asks an Aggregraph server one typed question. Throws with the server's own sentence when it refuses any part of it. */
export async function ask<Result, Variables>(
  origin: string,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(new URL('/graphql', origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: document.toString(), variables }),
  })
  // The server answers in the shape that the types were generated from.
  const { data, errors } = (await response.json()) as { data?: Result; errors?: readonly { message: string }[] }
  if (data === undefined || errors !== undefined) {
    throw new Error(errors?.map(({ message }) => message).join('\n') ?? `HTTP ${response.status}`)
  }
  return data
}
