import type { Clock, Disk, Logger } from '../util/index.js'
import type { StoreCheckpoint } from './checkpoint.js'
import type { CommitLog } from './commit-log.js'
import type { ConsumeQueueStore } from './consume-queue-store.js'
import type { DamageLog } from './damage.js'
import type { Dispatcher } from './dispatcher.js'
import type { IndexService } from './index-service.js'
import { keepDamage, recallDamage } from './known-damage.js'
import type { LightQueues } from './light-queues.js'
import { refuseMissingFiles } from './missing-files.js'
import { type Manifest, type ManifestQueue, readManifest } from './queue-manifest.js'
import { type Recovered, Recovery, type RecoveryReport } from './recovery.js'
import type { StoreSettings } from './settings.js'
import type { StoreFolders } from './store-folders.js'
import { type StoreMarks, shapeOf } from './store-marks.js'

export interface StoreParts {
  readonly settings: StoreSettings
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly folders: StoreFolders
  readonly log: CommitLog
  readonly queues: ConsumeQueueStore
  readonly index: IndexService | undefined
  readonly checkpoint: StoreCheckpoint
  readonly dispatcher: Dispatcher
  readonly light: LightQueues
  readonly marks: StoreMarks
  readonly damage: DamageLog
}

/** Progress is logged this often. */
const PROGRESS_MS = 1000
/** A checkpoint ahead of the clock by more than this is no checkpoint. */
const LARGEST_CLOCK_SKEW_MS = 3_600_000

/** Reads a store whose lock is held, and brings it into order; what was found is kept in a file for the inspector. */
export async function openStore(parts: StoreParts, isAfterCrash: boolean): Promise<Recovered> {
  const { log, queues, index, damage, marks } = parts
  const isShapeKnown = loadMarks(parts)
  log.files.load(isShapeKnown, (path, text) => damage.add({ kind: 'file', path, text }))
  const manifest = loadManifest(parts)
  const { folders, disk } = parts
  refuseMissingFiles({ files: log.files, manifest, marks, folders, disk, damage })
  queues.load({
    isLengthKnown: isShapeKnown,
    expected: reachOf(manifest),
    minPhysicalOffset: log.minOffset,
    onProgress: loadProgress(parts),
    onDamaged: ({ topic, queueId }, text) =>
      damage.add({ kind: 'queue', topic, queueId, text: `${text}; it is built again from the log` }),
  })
  loadCheckpoint(parts)
  index?.load(isShapeKnown)
  recallDamage(parts)
  const recovered = await new Recovery({ ...parts, manifest }).run(isAfterCrash)
  const { report } = recovered
  keepDamage(parts, report.endOffset)
  const { minOffset } = log
  marks.fit({ minOffset, endOffset: report.endOffset }, (topic, id) => queues.find(topic, id)?.maxOffset ?? 0)
  keepReport(parts, report)
  return recovered
}

function loadProgress({ clock, logger }: StoreParts): (queues: number) => void {
  let last = clock.monotonic()
  return queues => {
    const now = clock.monotonic()
    if (now - last < PROGRESS_MS) return
    last = now
    logger.info({ event: 'store-loading-queues', queues }, `opening the queues: ${queues} so far`)
  }
}

/** Whether files of another length than configured are damaged, and not of a store with other settings. */
function loadMarks({ marks, settings, damage, folders }: StoreParts): boolean {
  if (marks.load() === 'damaged') {
    const text = `${folders.marks} is damaged: its copy is used where that is sound`
    damage.add({ kind: 'file', path: folders.marks, text })
  }
  const shape = shapeOf(settings)
  const { shape: known } = marks
  const isKnown = known !== undefined && JSON.stringify(known) === JSON.stringify(shape)
  if (!isKnown) marks.shape = undefined
  return isKnown
}

function loadCheckpoint({ checkpoint, clock, damage, folders }: StoreParts): void {
  const wasShort = checkpoint.load()
  const limit = clock.now() + LARGEST_CLOCK_SKEW_MS
  const { physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp } = checkpoint
  const times = [physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp]
  if (!wasShort && times.every(time => time >= 0 && time < limit)) return
  const text = `${folders.checkpoint} is damaged: the whole log is read instead`
  damage.add({ kind: 'checkpoint', path: folders.checkpoint, text })
  checkpoint.physicMsgTimestamp = checkpoint.logicsMsgTimestamp = checkpoint.indexMsgTimestamp = 0
}

function loadManifest({ disk, folders, damage }: StoreParts): Manifest | undefined {
  const manifest = readManifest(disk, folders.manifest)
  if (typeof manifest !== 'string') return manifest
  if (manifest === 'damaged') {
    const text = `${folders.manifest} is damaged: queues are compared with the log alone`
    damage.add({ kind: 'file', path: folders.manifest, text })
  }
  return undefined
}

function reachOf(manifest: Manifest | undefined): Map<string, Map<number, ManifestQueue>> {
  const topics = new Map<string, Map<number, ManifestQueue>>()
  for (const entry of manifest?.queues ?? []) {
    let queues = topics.get(entry.topic)
    if (queues === undefined) topics.set(entry.topic, (queues = new Map()))
    queues.set(entry.queueId, entry)
  }
  return topics
}

function keepReport({ disk, folders, clock, logger }: StoreParts, report: RecoveryReport): void {
  try {
    disk.makeFolder(folders.own)
    const text = JSON.stringify({ at: new Date(clock.now()).toISOString(), ...report }, undefined, 2)
    disk.replaceWholeSync(folders.recoveryReport, Buffer.from(`${text}\n`))
  } catch (error) {
    logger.warn({ event: 'recovery-report-not-kept', err: error }, `${folders.recoveryReport} could not be written`)
  }
}
