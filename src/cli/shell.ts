/** Where a command writes. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** What a command has of the process that runs it. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Output
  readonly stderr: Output
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  on(event: 'uncaughtException', listener: (error: Error) => void): unknown
  exit(code: number): never
}
