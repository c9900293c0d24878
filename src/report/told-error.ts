const UNTOLD = 'The last refresh failed; the log says why.'

/** Where a sentence of ours goes on in the words of Postgres, which may quote a value of the source. */
const IN_OTHER_WORDS = /^(.*? cannot be read as declared):.*$/s

/**
 * What everybody may know of why a refresh failed: the first sentence of an error of ours, which begins with the class.
 * Anything else may tell of hosts, statements or other people's data, and is left to the log.
 */
export function toldError(className: string, message: string): string {
  if (!message.startsWith(`${className}: `)) return UNTOLD
  const [line = ''] = message.split('\n')
  if (IN_OTHER_WORDS.test(line)) return line.replace(IN_OTHER_WORDS, '$1; the log says why.')
  return /^.*?[.](?= |$)/.exec(line)?.[0] ?? line
}
