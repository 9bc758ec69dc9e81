// npm `akismet-api`: the key as the first label of the host.

import dns from 'node:dns'
import { HAM, PORT, PRAISE, api, claque, end, equal, raises, require, site, statusOf } from './check.mjs'

// Every name is this machine, as split DNS would have it.
dns.lookup = (_host, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)

const name = 'akismet-api-npm'
const key = site(name)
const queue = async () => (await api(key, 'GET', '/v1/queue'))[1].items
const blogKey = claque(['hooks', 'add', name, '--site', name, '--adapter', 'akismet'])
const { AkismetClient } = require('akismet-api')
const client = (key = blogKey) =>
  new AkismetClient({
    key,
    blog: 'https://blog.example',
    protocol: 'http',
    host: `rest.claque.test:${PORT}`,
    lang: 'en',
    charset: 'UTF-8'
  })
const comment = (post, content, more) => ({
  ip: '203.0.113.7',
  useragent: 'Mozilla/5.0',
  name: 'Ann',
  email: 'ann@mail.example',
  url: 'https://ann.example',
  permalink: `https://blog.example/${post}`,
  type: 'comment',
  date: '2026-11-25T10:00:00Z',
  content,
  ...more
})
const wrong = '000000000000'

await equal(name, 'verify-key', () => client().verifyKey(), true)
await equal(name, 'verify-key wrong', () => client(wrong).verifyKey(), false)
await equal(name, 'comment-check ham', () => client().checkSpam(comment('a', HAM)), false)
await equal(name, 'comment-check review', () => client().checkSpam(comment('b', PRAISE)), false)
await equal(name, 'comment-check review is queued', async () => (await queue()).length, 1)
const card = (await queue())[0]
await equal(name, 'comment-check honeypot', () => client().checkSpam(comment('c', HAM, { honeypot: 'x', isTest: true })), false)
await equal(
  name,
  'comment-check guaranteed spam',
  () => client().checkSpam(comment('a', HAM, { email: 'akismet-guaranteed-spam@example.com' })),
  true
)
await equal(name, 'comment-check administrator', () => client().checkSpam(comment('d', PRAISE, { role: 'administrator' })), false)
await raises(name, 'comment-check wrong key', () => client(wrong).checkSpam(comment('a', HAM)), 'Invalid API key')
const thanks = 'Thanks for making the web a better place.'
await equal(name, 'submit-spam', async () => (await client().submitSpam(comment('b', PRAISE))).text, thanks)
await equal(name, 'submit-spam rejects', () => statusOf(key, name, card?.comment?.id), 'rejected')
await equal(name, 'submit-spam empties the queue', async () => (await queue()).length, 0)
await equal(name, 'submit-ham', async () => (await client().submitHam(comment('b', PRAISE))).text, thanks)
await equal(name, 'submit-ham publishes', () => statusOf(key, name, card?.comment?.id), 'published')
end()
