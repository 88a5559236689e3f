import { expect, test } from 'vitest'
import { cleanFileMappings } from '../../../../src/util/native/release-startup-memory.js'

const entry = (head: string, anonymousKb: number): string =>
  `${head}\nSize: 8 kB\nRss: 8 kB\nAnonymous: ${anonymousKb} kB\n`

test('only unwritable private file mappings without a changed page are dropped', () => {
  const smaps = [
    entry('00400000-00b6f000 r--p 00000000 fe:00 247580                             /usr/bin/node', 0),
    entry('00b72000-025fe000 r-xp 00772000 fe:00 247580                             /usr/bin/node', 0),
    entry('0563a000-0563e000 r--p 05239000 fe:00 247580                             /usr/bin/node', 16),
    entry('0563e000-0565d000 rw-p 0523d000 fe:00 247580                             /usr/bin/node', 0),
    entry('7f0000000000-7f0040000000 rw-s 00000000 fe:00 99                          /store/commitlog/0', 0),
    entry('7f1000000000-7f1000010000 r-xp 00000000 00:00 0                           [vdso]', 0),
    entry('7f2000000000-7f2000010000 r--p 00000000 00:00 0', 0),
  ].join('')
  expect(cleanFileMappings(smaps)).toEqual([
    { from: 0x400000n, to: 0xb6f000n },
    { from: 0xb72000n, to: 0x25fe000n },
  ])
})
