// npm `@cedx/akismet`: the key in the body.

import { HAM, PRAISE, URL_, api, claque, end, equal, load, raises, site } from './check.mjs'

const name = 'cedx-akismet-npm'
const key = site(name)
const queue = async () => (await api(key, 'GET', '/v1/queue'))[1].items
const blogKey = claque(['hooks', 'add', name, '--site', name, '--adapter', 'akismet'])
const { Author, Blog, CheckResult, Client, Comment } = await load('@cedx/akismet')
const blog = new Blog({ url: 'https://blog.example', charset: 'UTF-8', languages: ['en', 'fr'] })
const client = (key = blogKey, options) => new Client(key, blog, { baseUrl: URL_, ...options })
const comment = (post, content, author) =>
  new Comment({
    author: new Author({ ipAddress: '203.0.113.7', name: 'Ann', userAgent: 'Mozilla/5.0', ...author }),
    content,
    context: ['tram', 'council'],
    date: new Date('2026-11-25T10:00:00.123Z'),
    permalink: `https://blog.example/${post}`,
    type: 'comment'
  })
const wrong = '000000000000'

await equal(name, 'verify-key', () => client().verifyKey(), true)
await equal(name, 'verify-key wrong', () => client(wrong).verifyKey(), false)
// This client takes any answer with X-akismet-debug-help or X-akismet-alert-code for an error, and any body but `false` for spam.
await equal(name, 'comment-check ham', () => client().checkComment(comment('a', HAM)), CheckResult.ham)
await equal(name, 'comment-check review', () => client().checkComment(comment('b', PRAISE)), CheckResult.ham)
await equal(name, 'comment-check review is queued', async () => (await queue()).length, 1)
await equal(
  name,
  'comment-check guaranteed spam',
  () => client().checkComment(comment('a', HAM, { name: 'akismet-guaranteed-spam' })),
  CheckResult.spam
)
await equal(
  name,
  'comment-check test keeps nothing',
  async () => [await client(blogKey, { isTest: true }).checkComment(comment('c', PRAISE)), (await queue()).length],
  [CheckResult.ham, 1]
)
await raises(name, 'comment-check wrong key', () => client(wrong).checkComment(comment('a', HAM)), 'key')
await equal(name, 'submit-spam', () => client().submitSpam(comment('b', PRAISE)), undefined)
await equal(name, 'submit-spam empties the queue', async () => (await queue()).length, 0)
await equal(name, 'submit-ham', () => client().submitHam(comment('b', PRAISE)), undefined)
await raises(name, 'submit-ham wrong key', () => client(wrong).submitHam(comment('a', HAM)), 'key')
end()
