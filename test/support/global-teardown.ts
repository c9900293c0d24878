import { rm } from 'node:fs/promises'
import { takeServices } from './services'

/** Ends what the set-up started, and removes its files. */
// biome-ignore lint/style/noDefaultExport: Jest calls the default export.
export default async function globalTeardown(): Promise<void> {
  const services = takeServices()
  if (services === null) return
  await services.postgres?.stop()
  await rm(services.directory, { recursive: true, force: true })
}
