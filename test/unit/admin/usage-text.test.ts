import { expect, test } from 'vitest'
import { namedOptions } from '../../../src/admin/option-spec.js'
import { usageText } from '../../../src/admin/usage-text.js'

test('our own options stand below those of Java, in line with them', () => {
  const options = namedOptions({
    topic: { short: 't', long: 'topic', kind: 'needed', description: 'name of the topic' },
    json: { short: '', long: 'json', kind: 'flag', exactName: true, description: 'print JSON' },
  })
  expect(usageText('topicStatus', options).split('\n')).toEqual([
    'usage: mqadmin topicStatus -t <arg>',
    ' -t,--topic <arg>   name of the topic',
    '    --json          print JSON',
    '',
  ])
})
