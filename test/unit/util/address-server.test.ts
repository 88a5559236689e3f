import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { askAddressServer, httpGet, isHostAndPort, splitAddresses } from '../../../src/util/index.js'

/** An address server; pages by path, 404 for the rest, silence for /rocketmq/mute. */
async function addressServer(pages: Record<string, string>): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === '/rocketmq/mute') return
    const page = pages[request.url!]
    response.writeHead(page === undefined ? 404 : 200).end(page)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the first line of the page of the group, or of the unit in it', async () => {
  const domain = await addressServer({
    '/rocketmq/nsaddr': 'a:1;b:2\nsecond line',
    '/rocketmq/nsaddr-unit1?nofix=1': 'c:3',
  })
  expect(await askAddressServer({ domain, subGroup: 'nsaddr' }, httpGet)).toBe('a:1;b:2')
  expect(await askAddressServer({ domain, subGroup: 'nsaddr', unitName: 'unit1' }, httpGet)).toBe('c:3')
  const missing = askAddressServer({ domain, subGroup: 'none' }, httpGet)
  await expect(missing).rejects.toMatchObject({
    code: 'ERR_HTTP',
    message: `GET http://${domain}/rocketmq/none failed: it was answered 404`,
  })
})

test('a server that says nothing, and one that is not there', async () => {
  const domain = await addressServer({})
  const mute = `http://${domain}/rocketmq/mute`
  await expect(httpGet(mute, 50)).rejects.toThrow(`GET ${mute} failed: no answer in 50 ms`)
  await expect(httpGet('http://127.0.0.1:1/', 1000)).rejects.toThrow('ECONNREFUSED')
})

test('a page of more than a MiB is no list of addresses', async () => {
  const domain = await addressServer({ '/rocketmq/long': 'x'.repeat(2 * 1024 * 1024) })
  await expect(askAddressServer({ domain, subGroup: 'long' }, httpGet)).rejects.toThrow('the answer is too long')
})

test.each([
  ['127.0.0.1:9876', true],
  ['ns.example:1', true],
  ['[fd00::1%eth0]:65535', true],
  ['ns', false],
  ['ns:0', false],
  ['ns:65536', false],
  ['fd00::1:9876', false],
  ['a b:1', false],
])('%s is host:port: %s', (text, expected) => expect(isHostAndPort(text)).toBe(expected))

test('lists', () => expect(splitAddresses(' a:1;;b:2; a:1 ')).toEqual(['a:1', 'b:2']))
