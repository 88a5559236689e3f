import type { InspectCommand } from '../command.js'
import { checkpointCommand } from './checkpoint.js'
import { configCommand } from './config.js'
import { diffCommand } from './diff.js'
import { exportCommand } from './export.js'
import { indexCommand } from './index-files.js'
import { logCommand } from './log.js'
import { queueCommand } from './queue.js'
import { summaryCommand } from './summary.js'
import { verifyCommand } from './verify.js'

/** Every command of mqstore: the one list. */
export const inspectCommands: readonly InspectCommand[] = [
  summaryCommand,
  logCommand,
  queueCommand,
  indexCommand,
  checkpointCommand,
  configCommand,
  verifyCommand,
  diffCommand,
  exportCommand,
]
