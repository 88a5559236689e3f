import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigFile, type Logger, silentLogger } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { tempDir } from '../../support/temp-dir.js'

/** A file that holds a list of words. */
function wordFile(dir = tempDir()) {
  const clock = new ManualClock()
  const state: { words: string[]; logged: string[]; pieces?: () => Iterable<string> } = { words: ['one'], logged: [] }
  const log = (fields: { readonly event?: unknown }): void => void state.logged.push(String(fields.event))
  const logger: Logger = { ...silentLogger, warn: log, error: log }
  const path = join(dir, 'config', 'words.json')
  const file = new ConfigFile({
    path,
    clock,
    logger,
    encode: () => state.pieces?.() ?? state.words.map(word => `${word}\n`),
    decode: text => {
      if (text.includes('torn')) throw new Error('torn')
      state.words = text.split('\n').filter(word => word !== '')
    },
  })
  return { file, path, state, clock, write: (name: string, text: string) => writeWords(path, name, text) }
}

function writeWords(path: string, name: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(join(path, '..', name), text)
}

/** Empty pieces, each of which takes 1 ms. */
function* slowSilence(pieces: number): Generator<string> {
  for (let i = 0; i < pieces; i++) {
    for (const end = performance.now() + 1; performance.now() < end; );
    yield ''
  }
}

describe('ConfigFile', () => {
  it('finds nothing at first, which is no error', () => {
    const { file, state } = wordFile()
    expect(file.load()).toBe(false)
    expect(state.logged).toEqual([])
  })

  it('keeps the text before the last in .bak and leaves nothing else behind', async () => {
    const { file, path, state } = wordFile()
    await file.save()
    state.words = ['two']
    await file.save()
    state.words = ['three']
    await file.save()
    expect(readFileSync(path, 'utf8')).toBe('three\n')
    expect(readFileSync(`${path}.bak`, 'utf8')).toBe('two\n')
    expect(readdirSync(join(path, '..')).sort()).toEqual(['words.json', 'words.json.bak'])
  })

  it('joins saves that are asked for together, and saves what changes during a write', async () => {
    const { file, path, state } = wordFile()
    const first = file.save()
    expect(file.save()).toBe(first)
    await Promise.resolve()
    await Promise.resolve()
    state.words = ['late']
    await Promise.all([first, file.save()])
    expect(readFileSync(path, 'utf8')).toBe('late\n')
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['torn', 'torn'],
  ])('reads .bak and says so when the file is %s', (_what, text) => {
    const { file, path, state, write } = wordFile()
    write('words.json.bak', 'old\n')
    if (text !== undefined) write('words.json', text)
    expect(file.load()).toBe(true)
    expect(state.words).toEqual(['old'])
    expect(state.logged).toEqual(['config-backup-used'])
    expect(existsSync(path)).toBe(false)
    expect(existsSync(`${path}.damaged`)).toBe(text !== undefined)
  })

  it('does not start over a damaged file without a good copy', () => {
    const { file, path, write } = wordFile()
    write('words.json', 'torn')
    expect(() => file.load()).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_FILE' }))
    expect(() => file.load()).toThrow(/words\.json is not readable \(torn\).*restore it/)
    write('words.json.bak', 'torn')
    expect(() => file.load()).toThrow(/words\.json is not readable/)
    expect(readFileSync(path, 'utf8')).toBe('torn')
  })

  it('starts without an empty file that has no copy', () => {
    const { file, state, write } = wordFile()
    write('words.json', '\n')
    expect(file.load()).toBe(false)
    expect(state.logged).toEqual(['config-file-empty'])
  })

  it('rejects when the disk refuses, and tries again in the background', async () => {
    const { file, path, state, clock } = wordFile()
    // a folder in the place of the file
    mkdirSync(path, { recursive: true })
    await expect(file.save()).rejects.toMatchObject({ code: 'ERR_CONFIG_FILE' })
    file.saveSoon()
    await file.save().catch(() => undefined)
    expect(state.logged).toEqual(['config-file-not-written'])
    rmSync(path, { recursive: true })
    await clock.advance(10_000)
    await file.save()
    expect(readFileSync(path, 'utf8')).toBe('one\n')
  })

  it('lets other work run while pieces take long to find and say nothing', async () => {
    const { file, path, state } = wordFile()
    state.pieces = () => slowSilence(100)
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await file.save()
    clearInterval(timer)
    expect(turns).toBeGreaterThan(20)
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('writes every piece whole, whatever their sizes and characters', async () => {
    const { file, path, state } = wordFile()
    const word = (i: number): string => `${'ä€😀x'.repeat(i % 3 === 0 ? 1 : (i * 7919) % 3000)}${i}`
    state.words = [
      '',
      ...Array.from({ length: 300 }, (_, i) => word(i)),
      '€'.repeat(300_000),
      'x'.repeat(262_144),
      'end',
    ]
    await file.save()
    expect(readFileSync(path, 'utf8') === state.words.map(one => `${one}\n`).join('')).toBe(true)
  })

  it('writes a long text without holding up other work', async () => {
    const { file, path, state } = wordFile()
    state.words = Array.from({ length: 200_000 }, (_, i) => `word-${i}`)
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await file.save()
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    expect(readFileSync(path, 'utf8').split('\n').length).toBe(200_001)
  })
})
