import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderRequestCodes, UNANSWERED, unansweredCodes } from './request-codes-page.js'

test('docs/protocol/request-codes.md is in step with the routes (else: npm run docs:protocol)', async () => {
  const page = join(import.meta.dirname, '../../../docs/protocol/request-codes.md')
  await expect(renderRequestCodes()).toMatchFileSnapshot(page)
})

test('every code that nobody answers has a reason, and every reason such a code', () => {
  const open = unansweredCodes()
  const explains = (code: number) => UNANSWERED.some(([from, to]) => code >= from && code <= to)
  expect(open.filter(code => !explains(code))).toEqual([])
  expect(UNANSWERED.filter(([from, to]) => !open.some(code => code >= from && code <= to))).toEqual([])
})
