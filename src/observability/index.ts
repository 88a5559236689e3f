export * from './create-log.js'
