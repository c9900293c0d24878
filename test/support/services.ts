import type { EmbeddedPostgres } from '../../src/embedded/embedded-postgres'

/** What the set-up of a test run started, for its tear-down. */
export interface Services {
  readonly directory: string
  /** Null when the run uses a server given from outside. */
  readonly postgres: EmbeddedPostgres | null
}

let kept: Services | null = null

export function keepServices(services: Services): void {
  kept = services
}

export function takeServices(): Services | null {
  const services = kept
  kept = null
  return services
}
