import type { Clock } from '../util/index.js'
import { type JsonValue, readNumber, readObject } from './json/index.js'

/** Which state of a table this is. `timestamp` in ms; `stateVersion` is 0 outside controller mode. */
export interface DataVersion {
  counter: number
  stateVersion: number
  timestamp: number
}

export function newDataVersion(clock: Clock): DataVersion {
  return { counter: 0, stateVersion: 0, timestamp: clock.now() }
}

/** Marks a change of the table, in place. */
export function nextDataVersion(version: DataVersion, clock: Clock, stateVersion = 0): DataVersion {
  version.timestamp = clock.now()
  version.stateVersion = stateVersion
  version.counter++
  return version
}

/** Takes over another's values, in place. */
export function assignDataVersion(version: DataVersion, other: DataVersion): void {
  version.counter = other.counter
  version.stateVersion = other.stateVersion
  version.timestamp = other.timestamp
}

export function sameDataVersion(a: DataVersion, b: DataVersion): boolean {
  return compareDataVersions(a, b) === 0
}

/** Negative when `a` is the older state. */
export function compareDataVersions(a: DataVersion, b: DataVersion): number {
  return a.stateVersion - b.stateVersion || a.counter - b.counter || a.timestamp - b.timestamp
}

export function dataVersionFromJson(json: JsonValue | undefined): DataVersion {
  const object = readObject(json)
  return {
    counter: readNumber(object.counter, 0),
    stateVersion: readNumber(object.stateVersion, 0),
    timestamp: readNumber(object.timestamp, 0),
  }
}
