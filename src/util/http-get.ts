import { get } from 'node:http'
import { MQError } from './errors.js'

/** The body of a small page by HTTP. @throws MQError ERR_HTTP when there is none, naming the address and the reason. */
export type HttpGet = (url: string, timeoutMs: number) => Promise<string>

/** More is no answer to what we ask by HTTP. */
const LONGEST_BODY = 1024 * 1024

export const httpGet: HttpGet = (url, timeoutMs) =>
  new Promise((resolve, reject) => {
    const failed = (why: string): void => reject(new MQError('ERR_HTTP', `GET ${url} failed: ${why}`))
    const request = get(url, { signal: AbortSignal.timeout(timeoutMs) }, response => {
      if (response.statusCode !== 200) {
        response.resume()
        failed(`it was answered ${response.statusCode}`)
        return
      }
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        body += piece
        if (body.length > LONGEST_BODY) request.destroy(new Error('the answer is too long'))
      })
      response.on('end', () => resolve(body))
      response.on('error', error => failed(error.message))
    })
    request.on('error', error => failed(error.name === 'AbortError' ? `no answer in ${timeoutMs} ms` : error.message))
  })
