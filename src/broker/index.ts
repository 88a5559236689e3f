export { BrokerController, type BrokerControllerOptions, type BrokerRootSettings } from './controller.js'
