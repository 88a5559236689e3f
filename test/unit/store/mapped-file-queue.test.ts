import { expect, test } from 'vitest'
import { MappedFileQueue } from '../../../src/store/mapped-file-queue.js'
import { silentLogger } from '../../../src/util/index.js'
import { Random } from '../../support/random.js'
import { SimulatedDisk } from '../../support/simulated-disk.js'

const FOLDER = '/log'
const FILE_SIZE = 4096

function opened(disk: SimulatedDisk): MappedFileQueue {
  const options = { disk: disk.process(), logger: silentLogger, folders: [FOLDER], fileSize: FILE_SIZE, now: () => 0 }
  const queue = new MappedFileQueue(options)
  queue.load()
  return queue
}

async function append(queue: MappedFileQueue, text: string): Promise<void> {
  const file = (queue.last ?? queue.roll()).map()
  file.buffer.write(text, file.wrotePosition)
  file.wrotePosition += text.length
  await file.flush()
}

test('no power cut brings a cut tail back behind what was written and flushed since', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new SimulatedDisk(new Random(seed))
    const queue = opened(disk)
    await append(queue, 'a'.repeat(512))
    await append(queue, 'b'.repeat(1024))
    queue.truncate(512)
    await append(queue, 'c'.repeat(512))
    disk.powerCut()
    const { buffer } = opened(disk).last!.map()
    expect(buffer.toString('latin1', 0, 1024), `seed ${seed}`).toBe('a'.repeat(512) + 'c'.repeat(512))
    expect(buffer.subarray(1024), `seed ${seed}`).toEqual(Buffer.alloc(FILE_SIZE - 1024))
  }
})
