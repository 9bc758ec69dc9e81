// The pages of an administrator.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD, PRAISE, copies, eventually, fillLogin, person, serve, singles, visitor } from './support.mjs'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const service = await serve({ users: ['anna', 'ben'] })
await service.send(...singles(20), ...copies(4))

const said = (page, text) => page.locator('.said', { hasText: text }).waitFor()

test('a user is added, works on one site, becomes a viewer, and is let in no more', async t => {
  const anna = await person(t, service, 'anna', '/admin/users')
  const form = anna.locator('form').filter({ has: anna.getByRole('button', { name: 'Add a user' }) })
  await form.getByLabel('Name').fill('emil')
  await form.getByLabel('Role').selectOption('moderator')
  await form.getByLabel('gazette').check()
  await form.getByLabel('Password').fill(PASSWORD)
  await form.getByRole('button', { name: 'Add a user' }).click()
  await said(anna, 'The user is there.')

  const emil = await visitor(t, service)
  emil.forgiven.push(/40\d/)
  const enter = async () => {
    await emil.goto('/login')
    await fillLogin(emil, 'emil')
  }
  await enter()
  await emil.waitForURL('**/queue')
  await emil.getByRole('button', { name: 'Approve', exact: true }).or(emil.getByRole('button', { name: /^Approve all/ })).first().waitFor()

  const line = anna.locator('form.line').filter({ hasText: 'emil' })
  await line.getByLabel('Role').selectOption('viewer')
  await line.getByRole('button', { name: 'Change' }).click()
  await said(anna, 'The user was changed')
  await emil.goto('/queue')
  assert.equal(new URL(emil.url()).pathname, '/login', 'who was changed has to log in again')
  await enter()
  await emil.waitForURL('**/queue')
  assert.equal(await emil.locator('.card > input').count(), 0)

  await line.getByLabel('let in no more').check()
  await line.getByRole('button', { name: 'Change' }).click()
  await said(anna, 'The user was changed')
  await enter()
  await emil.getByRole('alert').waitFor()
})

test('nobody takes his own rights away', async t => {
  const page = await person(t, service, 'anna', '/admin/users')
  page.forgiven.push(/422/)
  const line = page.locator('form.line').filter({ hasText: 'anna' })
  assert.equal(await line.getByLabel('let in no more').count(), 0)
  await line.getByLabel('Role').selectOption('viewer')
  await line.getByRole('button', { name: 'Change' }).click()
  await page.getByText(/takes his own rights away/).waitFor()
  await page.goto('/admin/users')
  await page.getByRole('heading', { name: 'Users' }).waitFor()
})

test('who is no administrator finds no door', async t => {
  const page = await person(t, service, 'ben')
  page.forgiven.push(/403/)
  assert.equal(await page.getByRole('link', { name: 'Set-up' }).count(), 0)
  for (const name of ['users', 'sites', 'keys', 'connections', 'thresholds', 'status']) {
    assert.equal((await page.goto(`/admin/${name}`)).status(), 403, name)
  }
})

test('a site is added', async t => {
  const page = await person(t, service, 'anna', '/admin/sites')
  await page.getByLabel('Id', { exact: true }).fill('herald')
  await page.getByLabel('Name').fill('Northern Herald')
  await page.getByRole('button', { name: 'Add a site' }).click()
  await said(page, 'The site is there.')
  await page.getByRole('cell', { name: 'Northern Herald' }).waitFor()
})

test('a key is shown once, opens the API, and opens nothing when revoked', async t => {
  const page = await person(t, service, 'anna', '/admin/keys')
  await page.getByLabel('What for').fill('the test')
  await page.getByLabel('gazette').check()
  await page.getByLabel('send comments').check()
  await page.getByRole('button', { name: 'Make a key' }).click()
  const key = await page.getByLabel('Key', { exact: true }).inputValue()
  const ask = async () => (await fetch(`${service.url}/v1/score`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: '{"id":"1","text":"Well."}' })).status
  assert.equal(await ask(), 200)
  await page.goto('/admin/keys')
  assert.ok(!(await page.content()).includes(key), 'it is shown once')
  await page.getByRole('row', { name: 'the test' }).getByRole('button', { name: 'Revoke' }).click()
  await said(page, 'The key opens nothing any more.')
  await page.getByRole('row', { name: 'the test' }).getByText('revoked').waitFor()
  assert.equal(await ask(), 401)
})

test('a webhook is added, refused with a bad secret, and removed', async t => {
  const page = await person(t, service, 'anna', '/admin/connections')
  page.forgiven.push(/4\d\d/)
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Add a webhook' }) })
  const fill = async secret => {
    await page.locator('summary', { hasText: 'Add a webhook' }).click()
    await form.getByLabel('Name').fill('from-the-cms')
    await form.getByLabel('Site').selectOption('gazette')
    await form.getByLabel(/^Adapter/).selectOption('generic')
    await form.getByLabel('Secret').fill(secret)
    await form.getByRole('button', { name: 'Add a webhook' }).click()
  }
  await fill('too simple')
  await page.getByText(/the secret must be/).waitFor()
  await page.goto('/admin/connections')
  await fill(SECRET)
  await said(page, 'The webhook is there.')
  const line = page.locator('.line', { hasText: 'from-the-cms' })
  await line.getByText('/hooks/from-the-cms').waitFor()
  assert.ok(!(await page.content()).includes(SECRET), 'no secret is shown')
  assert.notEqual((await fetch(`${service.url}/hooks/from-the-cms`, { method: 'POST', body: '{}' })).status, 404)
  await line.getByRole('button', { name: 'Remove' }).click()
  await said(page, 'The webhook is gone.')
})

test("a callback is added, and a test event's delivery is in the log", async t => {
  const page = await person(t, service, 'anna', '/admin/connections')
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Add a callback' }) })
  await page.locator('summary', { hasText: 'Add a callback' }).click()
  // Nobody is there: what is in the log is the failure.
  await form.getByLabel('Address').fill('https://nobody.invalid/decisions')
  await form.getByLabel('Site').selectOption('gazette')
  await form.getByLabel('Secret').fill(SECRET)
  await form.getByRole('button', { name: 'Add a callback' }).click()
  await said(page, 'The callback is there.')
  await page.getByRole('button', { name: 'Send a test event' }).click()
  await said(page, 'A test event is on its way')
  const message = page.locator('li.line', { hasText: 'https://nobody.invalid/decisions' }).first()
  await eventually('the try is told', async () => {
    await page.goto('/admin/connections')
    await message.locator('summary').click()
    return (await message.locator('ul li').count()) > 0
  })
  await message.getByText('waiting').waitFor()
  await page.getByRole('button', { name: 'Switch off' }).click()
  await said(page, 'The callback was switched.')
  await page.getByRole('button', { name: 'Switch on' }).waitFor()
})

test('thresholds are tried, and nothing is kept', async t => {
  const page = await person(t, service, 'anna', '/admin/thresholds')
  await page.locator('input[name="text.alone_p"]').fill('0.000001')
  await page.getByRole('button', { name: 'Try these' }).click()
  await page.getByRole('heading', { name: 'What would change' }).waitFor()
  await page.getByText(/Of 24 comments 24 are flagged by the values of now and \d+ by these/).waitFor()
  await page.locator('pre', { hasText: 'alone_p = 0.000001' }).waitFor()
  assert.ok(Number((await page.getByRole('heading', { name: /Would be spared/ }).textContent()).match(/\d+/)[0]) > 0)
  await page.goto('/admin/thresholds')
  assert.equal(await page.locator('input[name="text.alone_p"]').inputValue(), '1')
})

test('a text is explained under an address that lasts', async t => {
  const page = await person(t, service, 'anna', '/try')
  await page.getByLabel('The comment').fill(PRAISE)
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.waitForURL(/\/try\/[^/]+/)
  const outcome = page.locator('#outcome')
  await outcome.getByText('Proposed for review').waitFor()
  assert.ok((await outcome.locator('mark').count()) > 0)
  const before = await outcome.locator('table').textContent()
  await page.goto(await page.getByLabel('Address of this explanation').inputValue())
  assert.equal(await outcome.locator('table').textContent(), before)
  const ben = await person(t, service, 'ben', new URL(page.url()).pathname)
  assert.equal(await ben.locator('#outcome table').textContent(), before)
  assert.equal((await service.queue()).some(card => card.comment?.text === PRAISE), false, 'nothing of it comes near the queue')
})

test('the state is told, and rules are read anew', async t => {
  const page = await person(t, service, 'anna', '/admin/status')
  const reloads = () => page.getByRole('row', { name: /Reloads since the start/ }).getByRole('cell').textContent().then(Number)
  const before = await reloads()
  await page.getByRole('button', { name: 'Read them anew' }).click()
  await said(page, 'are read anew')
  await eventually('it was read anew', async () => {
    await page.goto('/admin/status')
    return (await reloads()) > before
  })
  await page.getByText('The last reload, if there was one, was taken.').waitFor()
})

test('rules are found, with what they hit', async t => {
  const page = await person(t, service, 'anna', '/admin/rules')
  await page.getByLabel('Find').fill('nuanced')
  await page.getByRole('button', { name: 'Apply' }).click()
  const row = page.getByRole('row', { name: /en\.nuance\/nuanced/ })
  assert.ok(Number(await row.getByRole('cell').nth(2).textContent()) >= 4)
})
