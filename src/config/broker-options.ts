import { ExitCode, isHostAndPort } from '../util/index.js'
import { type BrokerSettings, brokerSettings } from './broker-settings.js'
import { parseBrokerArguments } from './command-line.js'
import { type DaemonExit, type DaemonHost, type DaemonStart, loadDaemon } from './load-daemon.js'

/** Everything `mqbroker` does before there is a broker: options, file, environment, Java's checks and exit codes. */
export function loadBrokerSettings(
  argv: readonly string[],
  host: DaemonHost = {},
): DaemonStart<BrokerSettings> | DaemonExit {
  return loadDaemon({ definition: brokerSettings, parse: parseBrokerArguments, check: checkBroker }, argv, host)
}

/** The line that tells people and scripts that a broker is up. */
export function brokerBootLine({ brokerName, brokerIP1, listenPort, namesrvAddr }: BrokerSettings): string {
  const tail = namesrvAddr === '' ? '' : ` and name server is ${namesrvAddr}`
  return `The broker[${brokerName}, ${brokerIP1}:${listenPort}] boot success. serializeType=JSON${tail}`
}

const NO_SLAVES =
  'brokerRole=SLAVE: replication is not supported yet, a slave would serve no messages; run masters only'

function checkBroker(values: BrokerSettings): { code: number; text: string } | undefined {
  const { namesrvAddr, brokerRole, brokerId } = values
  const addresses = namesrvAddr.replace(/;+$/, '').split(';')
  const wrong = namesrvAddr === '' ? undefined : addresses.find(address => !isHostAndPort(address))
  if (wrong !== undefined) {
    const advice = 'illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"'
    return { code: ExitCode.notStarted, text: `The Name Server Address[${namesrvAddr}] ${advice}` }
  }
  if (brokerRole !== 'SLAVE') return undefined
  const text = brokerId <= 0 ? "Slave's brokerId must be > 0" : NO_SLAVES
  return { code: ExitCode.notStarted, text }
}
