import { describe, expect, test } from 'vitest'
import { commands } from '../../src/admin/index.js'
import { mqadminRuns } from '../support/mqadmin-golden.js'
import { runMqadmin } from '../support/run-mqadmin.js'

/** Options that Java's tool does not have. */
const OURS = /^ {4}--(json|strict|preview) .*\n/gm

/** The usage lines in front of the options. */
function synopsis(usage: string): string {
  return usage.slice(0, usage.search(/^ {1,4}-/m))
}

/** Names of the options in their layout, without descriptions, whose wording is our own. */
function optionColumn(usage: string): string[] {
  const help = /^ -h,--help +/m.exec(usage)?.[0] ?? ''
  return usage
    .split('\n')
    .filter(line => /^ {1,4}-/.test(line))
    .map(line => line.slice(0, help.length))
}

/** Descriptions in the list of a group's options. */
function withoutDescriptions(text: string): string {
  return text.replace(/(-\w) [^,\]]+/g, '$1 ...')
}

describe('mqadmin', () => {
  const [list] = mqadminRuns('mqadmin')
  const javaOrder = [...list!.stdout.matchAll(/^ {3}(\w+) /gm)].map(match => match[1]!)

  test('lists its commands in the order and layout of Java', async () => {
    const { exitCode, stdout } = await runMqadmin([])
    const names = commands.map(command => command.name)
    const known = javaOrder.filter(name => names.includes(name))
    // those that Java does not have follow
    expect(names.slice(0, known.length)).toEqual(known)
    expect(exitCode).toBe(0)
    const lines = stdout.split('\n')
    const javaLines = list!.stdout.split('\n')
    expect(lines[0]).toBe(javaLines[0])
    expect(lines.slice(-3)).toEqual(javaLines.slice(-3))
    for (const { name, description } of commands) expect(lines).toContain(`   ${name.padEnd(35)} ${description}`)
  })

  const names = commands.map(command => command.name)
  test.each(names.filter(name => javaOrder.includes(name)))('help %s has the options of Java', async name => {
    const [java] = mqadminRuns(`help/${name}`)
    const { exitCode, stdout } = await runMqadmin(['help', name])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(OURS)
    const usage = stdout.replace(OURS, '')
    expect(synopsis(usage)).toBe(synopsis(java!.stdout))
    expect(optionColumn(usage)).toEqual(optionColumn(java!.stdout))
  })

  test.each(mqadminRuns('optionErrors').filter(run => !run.argv.includes('noSuchCommand')).map(run => [run.argv.join(' '), run] as const))(
    'refuses `%s` as Java does',
    async (_name, java) => {
      const { exitCode, stdout, stderr } = await runMqadmin(java.argv)
      expect(exitCode).toBe(java.exitCode)
      expect(synopsis(stdout.replace(OURS, ''))).toBe(synopsis(java.stdout))
      const [first = ''] = stderr.split('\n')
      expect(withoutDescriptions(first)).toBe(withoutDescriptions(java.stderr.split('\n')[0]!))
    },
  )

  const unknown = [...mqadminRuns('unknownCommand'), ...mqadminRuns('help/unknownCommand')]
  test.each(unknown)('says that there is no such command', async java => {
    const { exitCode, stdout } = await runMqadmin(java.argv)
    expect({ exitCode, stdout }).toEqual({ exitCode: java.exitCode, stdout: java.stdout })
  })
})
