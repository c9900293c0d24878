import type { Change } from '../../src/cache/history'
import type { TopicState } from '../../src/cache/topic-state'
import { formatVersion, type Version } from '../../src/cache/version'
import { foldChanges, foldLineage } from '../../src/storage/changes'
import { ALWAYS, type Stretch } from '../../src/time/stretch'

/** A version by number and name; a lineage goes by the first eight characters, so names are no longer than that. */
export function versionOf(seq: number, name = `u${seq}`): Version {
  return { seq, uuid: name.padEnd(8, '-') }
}

/** The text of a version as tests write it: `2.u2`. */
export function nameOf(version: Version): string {
  return formatVersion(version).replace(/-+$/, '')
}

/** The state that a version leads to, and what it changed; without a state before it, everything is of this version. */
export function follow(
  before: TopicState<string> | undefined,
  version: Version,
  changed: readonly Stretch[] = [ALWAYS],
): TopicState<string> {
  const changes: readonly Change[] = foldChanges(before?.history.changes ?? [], before ? changed : [ALWAYS], version)
  const lineage = foldLineage(before?.history.lineage ?? '', version)
  return { version, history: { changes, lineage }, data: `data of ${nameOf(version)}` }
}
