// npm `standardwebhooks`: signs a delivery to a generic hook, verifies the decision that comes back.

import { createServer } from 'node:http'
import { HAM, PRAISE, URL_, api, claque, end, equal, raises, require, site } from './check.mjs'

const name = 'webhooks-npm'
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const back = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const key = site(name)
claque(['hooks', 'add', name, '--site', name, '--adapter', 'generic', '--secret-stdin'], secret)
const { Webhook } = require('standardwebhooks')

async function deliver(id, data, signer = secret) {
  const body = JSON.stringify({ type: 'comment.created', timestamp: new Date().toISOString(), data })
  const at = new Date()
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(signer).sign(id, at, body)
  }
  const answer = await fetch(`${URL_}/hooks/${name}`, { method: 'POST', headers, body })
  const got = await answer.json()
  return [answer.status, got.verdict ?? got.code]
}

await equal(name, 'comment.created ham', () => deliver('m1', { id: 1, author: 'u1', text: HAM }), [200, 'allow'])
await equal(name, 'comment.created review', () => deliver('m2', { id: 2, author: 'u2', text: `${PRAISE} 🚋` }), [200, 'review'])
await equal(name, 'another secret', () => deliver('m3', { id: 3, text: HAM }, back), [401, 'bad-signature'])

const arrived = new Promise((resolve, reject) => {
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    response.writeHead(204).end()
    resolve([Buffer.concat(chunks), request.headers])
  })
  server.listen(0, '127.0.0.1', async () => {
    const url = `http://127.0.0.1:${server.address().port}/decisions`
    claque(['callbacks', 'add', url, '--site', name, '--secret-stdin', '--allow-private'], back)
    await api(key, 'POST', '/v1/decisions', { comment: { site: name, id: 2 }, action: 'approve', note: 'Zug um Zug – 🚋' })
  })
  setTimeout(() => reject(new Error('no callback came')), 10_000).unref()
})
await equal(
  name,
  'callback verifies',
  async () => {
    const [body, headers] = await arrived
    const { type, data } = new Webhook(back).verify(body, headers)
    return [type, data.comment, data.action, data.note]
  },
  ['comment.decided', { id: '2', status: 'published' }, 'approve', 'Zug um Zug – 🚋']
)
await raises(
  name,
  'callback under another secret',
  async () => new Webhook(secret).verify(...(await arrived)),
  'No matching signature found'
)
end()
