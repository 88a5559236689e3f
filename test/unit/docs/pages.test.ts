import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../../../src/admin/commands/index.js'

const root = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const pages = [
  'README.md',
  'CHANGELOG.md',
  'docker/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join('docs', name)),
].sort()

/** The anchor that a heading gets where pages are shown. */
function anchor(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '')
  return words.trim().replaceAll(' ', '-')
}

function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(match => anchor(match[1]!))
}

test.each(pages)('the links of %s lead somewhere', page => {
  const broken = [...read(page).matchAll(/\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g)].flatMap(([, path = '', heading]) => {
    if (/^[a-z]+:/.test(path)) return []
    const target = path === '' ? page : relative(root, join(root, dirname(page), path))
    if (!existsSync(join(root, target))) return [path]
    if (heading === undefined || anchorsOf(read(target)).includes(heading)) return []
    return [`${path}#${heading}`]
  })
  expect(broken).toEqual([])
})

test('the README leads to every guide', () => {
  const readme = read('README.md')
  const guides = pages.filter(page => page.startsWith('docs/guides/'))
  expect(guides.filter(guide => !readme.includes(`(${guide}`))).toEqual([])
})

test('the mqadmin guide names every command', () => {
  const words = new Set(read('docs/guides/mqadmin.md').match(/\w+/g))
  expect(commands.map(({ name }) => name).filter(name => !words.has(name))).toEqual([])
})
