import { describe, expect, test } from 'vitest'
import { parseBrokerArguments, parseNamesrvArguments } from '../../../src/config/command-line.js'

const USAGE = /^usage: mqbroker \[-c <arg>\] \[-h\] \[-m\] \[-n <arg>\] \[-p\] .*\n -c,--configFile <arg> +\S/

describe('options', () => {
  test.each([
    [['-c', 'x']],
    [['-cx']],
    [['--configFile', 'x']],
    [['--configFile=x']],
    [['-configFile', 'x']],
    [['--config', 'x']],
    [['-n', 'a:1', '-c', 'x']],
  ])('%j names the file', argv => {
    expect(parseBrokerArguments(argv)).toMatchObject({ kind: 'run', configFile: 'x' })
  })

  test('long names are settings', () => {
    expect(parseBrokerArguments(['-n', 'a:1;b:2', '--logLevel', 'debug', '--set', 'a=b=c', '--set', ' d ='])).toEqual({
      kind: 'run',
      configFile: undefined,
      print: undefined,
      ignored: [],
      flags: [
        { key: 'namesrvAddr', value: 'a:1;b:2', where: 'option --namesrvAddr' },
        { key: 'logLevel', value: 'debug', where: 'option --logLevel' },
        { key: 'a', value: 'b=c', where: 'option --set' },
        { key: 'd', value: '', where: 'option --set' },
      ],
    })
  })

  test('what to print', () => {
    expect(parseBrokerArguments(['-p'])).toMatchObject({ print: 'all' })
    expect(parseBrokerArguments(['-m'])).toMatchObject({ print: 'important' })
    expect(parseNamesrvArguments(['--print'])).toMatchObject({ print: 'all' })
  })

  test('other words are handed on', () => {
    expect(parseBrokerArguments(['a=b', '-n', 'x:1', 'c'])).toMatchObject({ ignored: ['a=b', 'c'] })
  })
})

describe('ends', () => {
  test('-h prints the usage and exits with 0', () => {
    expect(parseBrokerArguments(['-h', '-c', 'x'])).toEqual({
      kind: 'exit',
      code: 0,
      stdout: expect.stringMatching(USAGE),
    })
  })

  test.each([
    [['-x'], 'Unrecognized option: -x\n'],
    [['--nothing'], 'Unrecognized option: --nothing\n'],
    [['-c'], 'Missing argument for option: c\n'],
    [['-n'], 'Missing argument for option: n\n'],
    [['--logLevel'], 'Missing argument for option: logLevel\n'],
    [['--set', 'x'], '--set x: must be key=value\n'],
  ])('%j is a mistake: message on stderr, usage on stdout, exit code 1', (argv, stderr) => {
    expect(parseBrokerArguments(argv)).toEqual({ kind: 'exit', code: 1, stdout: expect.stringMatching(USAGE), stderr })
  })

  test('the NameServer has no -m', () => {
    expect(parseNamesrvArguments(['-m'])).toMatchObject({ kind: 'exit', code: 1, stderr: 'Unrecognized option: -m\n' })
  })

  test('--enable-proxy says that there is none', () => {
    expect(parseBrokerArguments(['--enable-proxy'])).toMatchObject({ kind: 'exit', code: 1 })
  })
})
