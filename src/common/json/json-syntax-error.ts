import { MQError } from '../../util/index.js'

/** A text that is neither JSON nor fastjson's dialect of it. */
export class JsonSyntaxError extends MQError {
  constructor(reason: string, at?: number) {
    super('ERR_JSON_SYNTAX', at === undefined ? reason : `${reason} at character ${at}`)
  }
}
