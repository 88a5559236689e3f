import { MQError } from '../../util/index.js'

/**
 * A filter expression that is refused. The message is `{Java's exception class}: {its text}`, because it goes to the
 * client as the remark of SUBSCRIPTION_PARSE_FAILED.
 */
export class FilterCompileError extends MQError {
  constructor(javaClass: string, text?: string) {
    super('ERR_BAD_FILTER', text === undefined ? javaClass : `${javaClass}: ${text}`)
  }
}
