/**
 * The version of a topic: one refresh that changed something. `seq` grows by one with each and alone gives the order;
 * `uuid` is minted by the refresh, because a database restored from a backup can repeat a `seq`, never a version.
 */
export interface Version {
  readonly seq: number
  readonly uuid: string
}

/** The text of a version, `<seq>.<uuid>`. */
export function formatVersion(version: Version): string {
  return `${version.seq}.${version.uuid}`
}

/** The version written as `<seq>.<uuid>`, or null for any other text. */
export function parseVersion(text: string): Version | null {
  const match = /^(0|[1-9]\d*)\.([0-9A-Za-z-]+)$/.exec(text)
  const seq = Number(match?.[1])
  const uuid = match?.[2]
  return uuid !== undefined && Number.isSafeInteger(seq) ? { seq, uuid } : null
}

/** Whether both are the very same version: `seq` and `uuid`. */
export function sameVersion(a: Version, b: Version): boolean {
  return a.seq === b.seq && a.uuid === b.uuid
}

/** Whether `a` came after `b`. Order comes from `seq` alone. */
export function isNewer(a: Version, b: Version): boolean {
  return a.seq > b.seq
}
