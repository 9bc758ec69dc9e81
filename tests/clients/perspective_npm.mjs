// npm `perspective-api-client`, whose address is fixed: its HTTP library is told another.

import { createRequire } from 'node:module'
import { HAM, PRAISE, URL_, api, claque, end, equal, raises, require, site } from './check.mjs'

const name = 'perspective-npm'
const key = site(name)
const perspectiveKey = claque(['hooks', 'add', name, '--site', name, '--adapter', 'perspective'])
const Perspective = require('perspective-api-client')
createRequire(require.resolve('perspective-api-client'))('axios').interceptors.request.use(request => ({
  ...request,
  url: request.url.replace('https://commentanalyzer.googleapis.com', URL_)
}))
const client = (apiKey = perspectiveKey) => new Perspective({ apiKey })
const judged = async text => (await api(key, 'POST', '/v1/score', { id: 0, text }))[1].score

for (const [what, text] of Object.entries({ praise: PRAISE, ham: HAM })) {
  const summaryScore = { value: await judged(text), type: 'PROBABILITY' }
  await equal(
    name,
    `analyze ${what}`,
    async () => (await client().analyze(text)).attributeScores.TOXICITY.summaryScore,
    summaryScore
  )
}
await equal(
  name,
  'analyze attributes',
  async () => Object.keys((await client().analyze(HAM, { attributes: ['toxicity', 'insult'] })).attributeScores).sort(),
  ['INSULT', 'TOXICITY']
)
await equal(
  name,
  'analyze resource',
  async () => {
    const answer = await client().analyze({
      comment: { text: `<p>${PRAISE}</p>` },
      languages: ['en'],
      clientToken: 't-1',
      requestedAttributes: { TOXICITY: {} }
    })
    return [answer.languages, answer.clientToken, answer.attributeScores.TOXICITY.summaryScore.value === (await judged(PRAISE))]
  },
  [['en'], 't-1', true]
)
// The user is shown `error.message` of Google's error body, else only "Request failed with status code N".
await raises(name, 'analyze wrong key says so', () => client('nobody').analyze(HAM), 'key')
await raises(name, 'analyze no attributes says so', () => client().analyze(HAM, { attributes: [] }), 'requestedAttributes')
end()
