import { type Disk, type Mapping, systemDisk } from '../../src/util/index.js'

const cold = (mapping: Mapping): Mapping => Object.assign(mapping, { isInMemory: () => false })

/** The disk of this machine, of which nothing is in memory: what a test has just written always is. */
export const coldDisk: Disk = {
  ...systemDisk,
  map: async (path, options) => cold(await systemDisk.map(path, options)),
  mapSync: (path, options) => cold(systemDisk.mapSync(path, options)),
}
