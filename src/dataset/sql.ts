/** Returns the name as a quoted SQL identifier, whatever characters it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Returns the text as a SQL string literal that does not depend on `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}

/** Returns the expression in parentheses. A trailing `--` comment must not swallow the closing one. */
export function parenthesise(sql: string): string {
  return sql.includes('--') ? `(${sql}\n)` : `(${sql})`
}
