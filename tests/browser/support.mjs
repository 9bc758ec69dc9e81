// What the browser tests share: a service of their own, people in browsers, texts that are flagged, and what every page must keep to.

export * from './support/checks.mjs'
export * from './support/people.mjs'
export * from './support/service.mjs'
export * from './support/texts.mjs'
export * from './support/wait.mjs'
