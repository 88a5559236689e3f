import { setImmediate as endOfTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { WriteTurn } from '../../../src/remoting/write-turn.js'

test('what was put off is written at the end of the turn, the last first', async () => {
  const written: string[] = []
  const turn = new WriteTurn()
  for (const name of ['a', 'b', 'c']) turn.add({ writeOut: () => written.push(name) })
  await Promise.resolve()
  expect(written).toEqual([])
  await endOfTurn()
  expect(written).toEqual(['c', 'b', 'a'])
})

test('what a write puts off waits for the next turn, and nothing is written twice', async () => {
  const written: string[] = []
  const turn = new WriteTurn()
  const writer = {
    writeOut: () => {
      written.push('x')
      if (written.length < 3) turn.add(writer)
    },
  }
  turn.add(writer)
  await endOfTurn()
  expect(written).toEqual(['x'])
  await endOfTurn()
  expect(written).toEqual(['x', 'x'])
  await endOfTurn()
  await endOfTurn()
  expect(written).toEqual(['x', 'x', 'x'])
})
