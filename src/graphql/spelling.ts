import { Lexer, Source, TokenKind } from 'graphql'

/** An operation without what its author names freely. */
export interface Spelling {
  /**
   * The same for two operations that differ in nothing but their names, those of aliases and variables, white space, commas and
   * comments.
   */
  readonly text: string
  /** The aliases that are left out of `text`, in the order of their first appearance: `text` has their places. */
  readonly aliases: readonly string[]
  /** The names of the variables, in the same way. */
  readonly variables: readonly string[]
  readonly operationName: string | null
}

interface LexicalToken {
  readonly kind: TokenKind
  readonly value: string
}

/** As many as Apollo Server parses; a longer document is not worth remembering. */
const MOST_TOKENS = 2_000
/** A longer alias stays as it is: each of the points of an answer may repeat it. */
const LONGEST_ALIAS = 100
/** Members of every answer: a key of such a name is not told from them. */
const MEMBERS = ['data', 'errors', 'extensions']
const KEYWORDS: ReadonlySet<string> = new Set(['query', 'mutation', 'subscription'])

/** The tokens of a document; null when it has too many, or a text that is none. */
function readTokens(document: string): LexicalToken[] | null {
  const lexer = new Lexer(new Source(document))
  const tokens: LexicalToken[] = []
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      if (tokens.length >= MOST_TOKENS) return null
      tokens.push({ kind: token.kind, value: token.value ?? '' })
    }
  } catch {
    return null
  }
  return tokens
}

/** A token as text without line breaks, which are between tokens. Validation tells a string in a block from one in quotes. */
function write({ kind, value }: LexicalToken): string {
  if (kind === TokenKind.STRING) return JSON.stringify(value)
  if (kind === TokenKind.BLOCK_STRING) return `block ${JSON.stringify(value)}`
  return value === '' ? kind : value
}

/** Where an operation has names of its author's choice: places among the tokens. */
interface Places {
  /** Where the operation begins. */
  readonly operation: number
  readonly operationName: number | null
  readonly aliases: ReadonlySet<number>
  /** Names that an alias may not be told from in an answer: those of fields, above all. */
  readonly taken: ReadonlySet<string>
}

/** Numbers names in the order in which they come. */
class Numbers {
  readonly #numbers = new Map<string, number>()

  of(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size
    this.#numbers.set(name, number)
    return number
  }

  get names(): string[] {
    return [...this.#numbers.keys()]
  }
}

/** Copies a name that was cut from a document, since it would keep all of that in memory. */
export function copyName(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1')
}

/** Null when there is not exactly one operation, or a description, behind which there may be another. */
function findPlaces(tokens: readonly LexicalToken[]): Places | null {
  const aliases = new Set<number>()
  const taken = new Set(MEMBERS)
  let operationName: number | null = null
  const operations: number[] = []
  // In a selection, `name:` is an alias; within parentheses it is an argument or a member of an object.
  let [braces, parentheses] = [0, 0]
  let isStart = true
  for (const [place, { kind, value }] of tokens.entries()) {
    const isOutside = braces === 0 && parentheses === 0
    if (isOutside && (kind === TokenKind.STRING || kind === TokenKind.BLOCK_STRING)) return null
    if (isOutside && isStart) {
      if (kind === TokenKind.BRACE_L || KEYWORDS.has(value)) operations.push(place)
      if (KEYWORDS.has(value) && tokens[place + 1]?.kind === TokenKind.NAME) operationName = place + 1
    }
    isStart = false
    if (kind === TokenKind.PAREN_L) parentheses += 1
    else if (kind === TokenKind.PAREN_R) parentheses -= 1
    else if (parentheses > 0) continue
    else if (kind === TokenKind.BRACE_L) braces += 1
    else if (kind === TokenKind.BRACE_R) {
      braces -= 1
      isStart = braces === 0
    } else if (kind === TokenKind.NAME && !isOutside) {
      if (value.length <= LONGEST_ALIAS && tokens[place + 1]?.kind === TokenKind.COLON) aliases.add(place)
      else taken.add(value)
    }
  }
  const [operation] = operations
  return operation !== undefined && operations.length === 1 ? { operation, operationName, aliases, taken } : null
}

/**
 * Reads how an operation is spelled. Null when that cannot be told: it does not parse into tokens, is very long, or the document
 * has several operations. The document need not be valid; a valid one has the text of valid ones alone.
 */
export function readSpelling(document: string): Spelling | null {
  const tokens = readTokens(document)
  const places = tokens && findPlaces(tokens)
  if (tokens === null || places === null) return null
  const [aliases, variables] = [new Numbers(), new Numbers()]
  const texts = tokens.flatMap((token, place) => {
    // `{ … }`, `query { … }` and `query Name { … }` are the same.
    if (place === places.operationName) return []
    if (place === places.operation && token.kind === TokenKind.BRACE_L) return ['query', '{']
    // What follows a dollar is a name.
    if (tokens[place - 1]?.kind === TokenKind.DOLLAR) return `#${variables.of(token.value)}`
    const isAlias = places.aliases.has(place) && !places.taken.has(token.value)
    return isAlias ? `#${aliases.of(token.value)}` : write(token)
  })
  const name = places.operationName === null ? undefined : tokens[places.operationName]?.value
  return {
    text: texts.join('\n'),
    aliases: aliases.names.map(copyName),
    variables: variables.names,
    operationName: name === undefined ? null : copyName(name),
  }
}

/**
 * Writes an answer's body as it is for another spelling of its operation. In JSON without white space, a name in quotes with a
 * colon behind it is a key, and all keys of an answer are names of its fields: no scalar of ours is an object.
 */
export function respell(body: string, from: readonly string[], to: readonly string[]): string {
  const renamed = new Map(from.map((alias, index) => [alias, to[index] ?? alias] as const).filter(([a, b]) => a !== b))
  if (renamed.size === 0) return body
  const keys = new RegExp(`"(${[...renamed.keys()].join('|')})":`, 'g')
  return body.replace(keys, (_key, alias: string) => `"${renamed.get(alias)}":`)
}
