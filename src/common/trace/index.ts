export * from './trace-codec.js'
export * from './trace-record.js'
