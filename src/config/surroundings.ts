import { availableParallelism, homedir, hostname } from 'node:os'
import { findLocalAddress } from './local-address.js'
import type { Surroundings } from './setting.js'

/** The machine we run on. The address is looked for when a default first needs it. */
export function readSurroundings(env: Surroundings['env'] = process.env): Surroundings {
  let localAddress: string | undefined
  return {
    cores: availableParallelism(),
    home: homedir(),
    hostName: hostname() || 'DEFAULT_BROKER',
    get localAddress() {
      localAddress ??= findLocalAddress()
      return localAddress
    },
    env,
  }
}
