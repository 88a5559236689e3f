import { encodeHostAddress, parseHostAddress } from '../common/index.js'
import { MQError } from '../util/index.js'

/** Who this broker is in routes, message ids and registrations. */
export interface BrokerIdentity {
  clusterName: string
  brokerName: string
  /** 0 is the master. */
  brokerId: number
  /** `brokerIP1:listenPort`, as NameServers and clients know it; the store host of messages. */
  address: string
  /** `brokerIP2:haListenPort`. */
  haAddress: string
}

/** The address as records keep it: bytes and port. @throws MQError ERR_ADDRESS when brokerIP1 is no IP address. */
export function storeHostOf(identity: BrokerIdentity): Buffer {
  const address = parseHostAddress(identity.address)
  if (!address) throw new MQError('ERR_ADDRESS', `brokerIP1 makes ${identity.address}, which is no IP address and port`)
  return encodeHostAddress(address)
}
