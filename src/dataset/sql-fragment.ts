/** A comment, a quoted or dollar-quoted text, a parenthesis or a semicolon; an opening quote alone is never closed. */
const TOKEN =
  /--[^\n]*|\/\*|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$])\$(?:[A-Za-z_]\w*)?\$|['"();]/g

/** Returns where the comment that opens at `start` ends, or -1. Block comments nest in SQL. */
function endOfComment(sql: string, start: number): number {
  let depth = 0
  for (const match of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return start + match.index + 2
  }
  return -1
}

/**
 * Says what keeps a piece of SQL from standing on its own inside a larger statement, or null when nothing does: a
 * parenthesis closed early, a quote left open, a semicolon. It is a check against slips; Postgres judges the rest.
 */
export function faultOfSqlFragment(sql: string): string | null {
  if (sql.trim() === '') return 'is empty'
  let depth = 0
  const token = new RegExp(TOKEN)
  for (let match = token.exec(sql); match !== null; match = token.exec(sql)) {
    const text = match[0]
    if (text === '(') depth += 1
    else if (text === ')') depth -= 1
    else if (text === ';') return 'holds a semicolon; write one expression'
    else if (text === "'" || text === '"') return `leaves a quote (${text}) open`
    else if (text === '/*') {
      token.lastIndex = endOfComment(sql, match.index)
      if (token.lastIndex <= 0) return 'leaves a comment open'
    } else if (text.startsWith('$')) {
      const end = sql.indexOf(text, token.lastIndex)
      if (end < 0) return `leaves a quote (${text}) open`
      token.lastIndex = end + text.length
    }
    if (depth < 0) return 'closes a parenthesis that it did not open'
  }
  return depth > 0 ? 'leaves a parenthesis open' : null
}
