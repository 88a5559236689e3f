export { type Command, defineCommand } from './command.js'
export { commands } from './commands/index.js'
export { type RunOptions, run } from './main.js'
export type { Sink } from './output.js'
