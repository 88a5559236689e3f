import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '../../../src/util/index.js'

test('a free port can be listened on, as can the fast port of a broker on it, and outgoing connections get neither', async () => {
  for (let i = 0; i < 20; i++) {
    const port = await freePort()
    expect(port).toBeLessThan(32_768)
    for (const one of [port, port - 2]) {
      const server = createServer().listen(one, '0.0.0.0')
      await once(server, 'listening')
      await new Promise(resolve => server.close(resolve))
    }
  }
})
