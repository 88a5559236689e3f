import { MQClientError } from '../client/index.js'
import { errorText } from '../util/index.js'
import type { Command } from './command.js'

const FAQ = 'https://rocketmq.apache.org/docs/bestPractice/06FAQ'
const CLIENT_EXCEPTION = 'org.apache.rocketmq.client.exception.MQClientException'
const BROKER_EXCEPTION = 'org.apache.rocketmq.client.exception.MQBrokerException'
const REMOTING = 'org.apache.rocketmq.remoting.exception'

/** Java's exception and its message: scripts look for these lines. Stack traces are left out. */
export function failureText(command: Command, error: unknown, namesrvAddr: readonly string[]): string {
  const cause = causeChain(command, error, namesrvAddr)
  if (command.wrapper === 'none') return cause
  const wrapper =
    command.wrapper === 'RuntimeException'
      ? 'java.lang.RuntimeException'
      : 'org.apache.rocketmq.tools.command.SubCommandException'
  const failure = command.isFullFailure ? command.javaName : `${command.javaName} command failed`
  return `${wrapper}: ${failure}\nCaused by: ${cause}`
}

function causeChain(command: Command, error: unknown, namesrvAddr: readonly string[]): string {
  const text = causeText(command, error, namesrvAddr)
  const deeper = error instanceof MQClientError ? error.cause : undefined
  if (!(deeper instanceof MQClientError)) return text
  return `${text}\nCaused by: ${causeChain(command, deeper, namesrvAddr)}`
}

function causeText(command: Command, error: unknown, namesrvAddr: readonly string[]): string {
  const isFromBroker = error instanceof MQClientError && command.refusals !== 'client' && !isNamesrv(error, namesrvAddr)
  return exceptionText(error, isFromBroker)
}

function isNamesrv({ address }: MQClientError, namesrvAddr: readonly string[]): boolean {
  return address === undefined || namesrvAddr.includes(address)
}

/** Java's exception for an error, with its message. */
export function exceptionText(error: unknown, isFromBroker: boolean): string {
  if (!(error instanceof MQClientError)) return errorText(error)
  const { code, responseCode, remark, address, brokerName } = error
  if (code === 'ERR_CLIENT_CONNECT') return `${REMOTING}.RemotingConnectException: connect to ${address} failed`
  if (code === 'ERR_CLIENT_TIMEOUT') return `${REMOTING}.RemotingTimeoutException: ${error.message}`
  if (code === 'ERR_CLIENT_BROKER') return `${CLIENT_EXCEPTION}: ${withFaq(`The broker[${brokerName}] not exist`)}`
  if (code !== 'ERR_CLIENT_RESPONSE') return `${CLIENT_EXCEPTION}: ${withFaq(error.message)}`
  const text = `CODE: ${responseCode}  DESC: ${withRouteHelp(remark ?? '')}`
  if (isFromBroker) return `${BROKER_EXCEPTION}: ${withFaq(`${text} BROKER: ${address}`)}`
  return `${CLIENT_EXCEPTION}: ${withFaq(text)}`
}

/** What Java's NameServer adds to this answer itself. */
function withRouteHelp(remark: string): string {
  const isRoute = remark.startsWith('No topic route info') && !remark.includes('\nSee ')
  return isRoute ? `${remark}\nSee ${FAQ} for further details.` : remark
}

/** Java adds a link to texts that have none. */
function withFaq(text: string): string {
  return text.includes('\nSee ') ? text : `${text}\nFor more information, please visit the url, ${FAQ}`
}
