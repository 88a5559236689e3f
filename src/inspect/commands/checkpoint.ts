import { readCheckpoint, readTimerCheckpoint } from '../checkpoint-file.js'
import { defineInspectCommand, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import { timeText } from '../output.js'

export const checkpointCommand = defineInspectCommand<object>({
  name: 'checkpoint',
  description: 'How far log, queues, index and timer are known to be on the disk.',
  arguments: [STORE_ARGUMENT],
  options: [],
  async run({ out }, [root], options) {
    const directory = openStore(root!, options)
    const checkpoint = readCheckpoint(directory)
    const timerCheck = readTimerCheckpoint(directory)
    await out.json({ store: directory.root, abort: directory.abort !== undefined, checkpoint, timerCheck })
    if (checkpoint === undefined) await out.line('there is no checkpoint: the next start looks at the whole log')
    else {
      await out.line(`physicMsgTimestamp      ${timeText(checkpoint.physicMsgTimestamp)}  log written up to`)
      await out.line(`logicsMsgTimestamp      ${timeText(checkpoint.logicsMsgTimestamp)}  queues written up to`)
      await out.line(
        `indexMsgTimestamp       ${timeText(checkpoint.indexMsgTimestamp)}  full index files written up to`,
      )
      await out.line(`masterFlushedOffset     ${checkpoint.masterFlushedOffset}`)
      await out.line(`confirmPhyOffset        ${checkpoint.confirmPhyOffset}`)
    }
    if (timerCheck !== undefined) {
      await out.line(`timer delivered up to   ${timeText(timerCheck.lastReadTimeMs)}`)
      await out.line(`timer log written to    ${timerCheck.lastTimerLogFlushPos}`)
      await out.line(`timer queue offset      ${timerCheck.lastTimerQueueOffset}`)
    }
    const abort = directory.abort === undefined ? 'no: stopped in order' : 'yes: running, or not stopped in order'
    await out.line(`abort                   ${abort}`)
    return InspectExit.ok
  },
})
