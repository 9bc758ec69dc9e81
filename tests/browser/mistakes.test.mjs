// Forms with a mistake: they are shown again, say what is wrong and how to mend it, and keep what was typed. With and without a script.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { axe, copies, person, serve, singles } from './support.mjs'

const service = await serve({ users: ['anna'] })
await service.send(...singles(4), ...copies(4))
const { campaign } = (await service.queue()).find(card => card.kind === 'campaign')

/** Somebody who is told of a mistake: a page with another status than 200 is what is wanted. */
async function clumsy(t, path, options) {
  const page = await person(t, service, 'anna', path, options)
  page.forgiven.push(/4\d\d/)
  return page
}
const told = (page, text) => page.locator('.mistake[role=alert]', { hasText: text }).waitFor()

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with a script' : 'without a script'

  test(`a user whose password is too short is not typed anew, ${how}`, async t => {
    const page = await clumsy(t, '/admin/users', { javaScriptEnabled })
    const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Add a user' }) })
    await form.getByLabel('Name').fill('emil')
    await form.getByLabel('Role').selectOption('lead')
    await form.getByLabel('courier').check()
    await form.getByLabel('Password').fill('short')
    await form.getByRole('button', { name: 'Add a user' }).click()
    await told(page, /./)
    assert.equal(await form.getByLabel('Name').inputValue(), 'emil')
    assert.equal(await form.getByLabel('Role').inputValue(), 'lead')
    assert.equal(await form.getByLabel('courier').isChecked(), true)
    assert.equal(await form.getByLabel('Password').inputValue(), '', 'a password is never sent back')
    if (javaScriptEnabled) assert.deepEqual(await axe(page), [])
  })
}

test('a key for nothing, a secret that is none, a site that is there', async t => {
  const page = await clumsy(t, '/admin/keys')
  await page.getByLabel('What for').fill('the new blog')
  await page.getByLabel('gazette').check()
  await page.getByRole('button', { name: 'Make a key' }).click()
  await told(page, 'choose what the key may do')
  assert.equal(await page.getByLabel('What for').inputValue(), 'the new blog')
  assert.equal(await page.getByLabel('gazette').isChecked(), true)

  await page.goto('/admin/connections')
  await page.getByText('Add a webhook').first().click()
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Add a webhook' }) })
  await form.getByLabel('Name').fill('blog')
  await form.locator('select[name=adapter]').selectOption('generic')
  await form.getByLabel('Secret').fill('x')
  await form.getByRole('button', { name: 'Add a webhook' }).click()
  await told(page, 'whsec_')
  assert.equal(await form.getByLabel('Name').inputValue(), 'blog')

  await page.goto('/admin/sites')
  await page.getByLabel('Id', { exact: true }).fill('gazette')
  await page.getByLabel('Name', { exact: true }).fill('Another Gazette')
  await page.getByRole('button', { name: 'Add a site' }).click()
  await told(page, /./)
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Another Gazette')
})

test('numbers and days in filters', async t => {
  const page = await clumsy(t, '/queue')
  await page.locator('.filters summary').click()
  await page.getByLabel('Rarity, 1 in at least').fill('many')
  await page.getByLabel('Words in the text').fill('tram')
  await page.getByRole('button', { name: 'Apply' }).click()
  await told(page, '“Rarity, 1 in at least” has to be a number from 1 on, such as 1000; “many” is none')
  assert.equal(await page.getByLabel('Rarity, 1 in at least').inputValue(), 'many')
  assert.equal(await page.getByLabel('Words in the text').inputValue(), 'tram')

  await page.goto('/history?from=yesterday&who=anna')
  await told(page, '“From (UTC)” has to be a day such as 2026-03-31; “yesterday” is none')
  assert.equal(await page.getByLabel('Who').inputValue(), 'anna')

  await page.goto('/admin/thresholds')
  await page.getByLabel('text.alone_p').fill('0,01')
  await page.getByRole('button', { name: 'Try these' }).click()
  await told(page, '“text.alone_p” has to be a number')
  assert.equal(await page.getByLabel('text.alone_p').inputValue(), '0,01')
})

test('a rule that cannot be read, and a language that is none', async t => {
  const page = await clumsy(t, `/campaigns/gazette/${campaign.id}/rule`)
  await page.getByLabel('The rule file').fill('[pack]\nid = ')
  await page.getByRole('button', { name: 'Keep as shadow' }).click()
  await page.getByRole('alert').getByText('Mend what is named here').waitFor()
  assert.match(await page.getByLabel('The rule file').inputValue(), /^\[pack\]/)

  await page.goto('/try')
  await page.getByLabel('The comment').fill('Wonderful and well put.')
  await page.getByText('With an article').click()
  await page.getByLabel('Language').fill('klingon')
  await page.getByRole('button', { name: 'Explain' }).click()
  await told(page, '“klingon” is no language code')
  assert.equal(await page.getByLabel('The comment').inputValue(), 'Wonderful and well put.')
})

test('a reason that is wanted: what was written and ticked stays, without a script', async t => {
  const strict = await serve({ users: ['anna'], environment: { CLAQUE_REVIEW__REASON_REQUIRED: 'true' } })
  await strict.send(...singles(3, 'strict'), ...copies(4, 'strict-copy'))
  const queue = await strict.queue()
  const card = queue.find(one => one.kind === 'comment')
  const many = queue.find(one => one.kind === 'campaign').campaign
  const page = await person(t, strict, 'anna', `/queue/${card.id}`, { javaScriptEnabled: false })
  page.forgiven.push(/4\d\d/)
  for (const path of [`/queue/${card.id}`, '/comments/gazette/strict-1', `/campaigns/gazette/${many.id}`]) {
    await page.goto(path)
    const box = page.locator('input[name=except]').first()
    const isCampaign = (await box.count()) > 0
    if (isCampaign) await box.check()
    await page.locator('summary', { hasText: 'with a reason or a note' }).click()
    await page.locator('.decide [name=note]').fill('looked at twice')
    await page.getByRole('button', { name: /^Reject/ }).click()
    await told(page, /needs a `?reason/)
    assert.equal(await page.locator('.decide [name=note]').inputValue(), 'looked at twice')
    if (isCampaign) assert.equal(await box.isChecked(), true)
    await page.getByLabel('Reason').fill('templated')
    await page.getByRole('button', { name: /^Reject/ }).click()
    await page.getByText('Decided.', { exact: true }).waitFor()
  }
  assert.deepEqual((await strict.decisions(3)).map(one => [one.reason, one.note]), Array(3).fill(['templated', 'looked at twice']))

  await page.goto('/authors/gazette/strict-author-2')
  await page.getByRole('button', { name: /undecided/ }).click()
  await page.getByRole('button', { name: 'Yes, do it' }).click()
  await told(page, /needs a `?reason/)
  await page.getByLabel('Reason').fill('templated')
  await page.getByRole('button', { name: 'Yes, do it' }).click()
  await page.getByText('Decided.', { exact: true }).waitFor()
})
