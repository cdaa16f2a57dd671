// What a user of the kit imports, by the doors' own names.
export { Hold } from 'gearpump'
export * from 'gearpump/testing'
