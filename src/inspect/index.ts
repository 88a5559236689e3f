export { type InspectIo, runInspect } from './main.js'
export type { Sink } from './output.js'
