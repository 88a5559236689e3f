export { NamesrvController, type NamesrvControllerOptions } from './controller.js'
export type { NamesrvSettingsSource, NamesrvValues } from './settings.js'
