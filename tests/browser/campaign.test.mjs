// Sixty copies are one card: one key decides them, one takes it back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, eventually, paneShows, person, serve, shown, singles, toast } from './support.mjs'

const service = await serve()
const sixty = copies(60)
const ids = sixty.map(comment => comment.id)
await service.send(...sixty)

/** How many of the sixty stand where. */
async function counted() {
  const count = {}
  for (const status of await service.statuses(ids)) count[status] = (count[status] ?? 0) + 1
  return count
}

const campaign = async () => (await service.queue('kind=campaign'))[0].campaign

test('one key rejects all sixty, another brings them back', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=campaign')
  const pane = await paneShows(page)
  await pane.getByRole('button', { name: 'Reject all 60' }).waitFor()
  await page.keyboard.press('Shift+R')
  await toast(page, 'Rejected · 60 comments')
  assert.deepEqual(await counted(), { rejected: 60 })
  await page.keyboard.press('u')
  await toast(page, 'everything is as it was')
  assert.deepEqual(await counted(), { published: 60 })
  await paneShows(page)
  assert.equal((await campaign()).undecided, 60)
})

test('the toast has a button that takes it back too', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=campaign')
  await paneShows(page)
  await page.keyboard.press('f')
  await toast(page, 'Approved · 60 comments')
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await toast(page, 'everything is as it was')
  await paneShows(page)
  for (const id of ids.slice(0, 5)) assert.equal((await service.comment(id)).decided_by, undefined)
})

test('two members that are ticked stay out of it', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=campaign')
  const pane = await paneShows(page)
  const ticks = pane.locator('[data-except]')
  const spared = [await ticks.nth(0).inputValue(), await ticks.nth(3).inputValue()].sort()
  await ticks.nth(0).check()
  await ticks.nth(3).check()
  await page.keyboard.press('Shift+R')
  await toast(page, 'Rejected · 58 comments')
  assert.deepEqual(await counted(), { rejected: 58, published: 2 })
  for (const id of spared) assert.deepEqual((({ status, decided_by }) => [status, decided_by])(await service.comment(id)), ['published', undefined])
  const open = (await service.queue()).flatMap(card => card.campaign?.comments ?? [card.comment.id])
  assert.deepEqual(open.sort(), spared, 'the two wait for a decision of their own')
  await page.keyboard.press('u')
  await toast(page, 'everything is as it was')
  assert.deepEqual(await counted(), { published: 60 })
  assert.equal((await service.queue()).length, 1, 'it is one card again')
})

test('members that were fetched later can be left out as well', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=campaign')
  const pane = await paneShows(page)
  assert.equal(await pane.locator('.member').count(), 12)
  await pane.getByRole('link', { name: /Show all 60/ }).click()
  await eventually('all sixty are listed', async () => (await pane.locator('.member').count()) === 60)
  const tick = pane.locator('[data-except]').last()
  const spared = await tick.inputValue()
  await tick.check()
  await pane.getByRole('button', { name: /Reject all/ }).click()
  await toast(page, 'Rejected · 59 comments')
  assert.equal((await service.comment(spared)).status, 'published')
  await page.keyboard.press('u')
  await toast(page, 'everything is as it was')
})

test("the campaign's page decides it too, and its undo stands there", async t => {
  const page = await person(t, service, 'anna', '/campaigns')
  await page.getByRole('link', { name: /60 comments by 60 authors/ }).click()
  await page.getByRole('heading', { name: 'When they came (UTC)' }).waitFor()
  await page.locator('[data-except]').first().check()
  await page.getByRole('button', { name: 'Reject all 60' }).click()
  await page.getByText('Decided.', { exact: true }).waitFor()
  assert.deepEqual(await counted(), { rejected: 59, published: 1 })
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
  assert.deepEqual(await counted(), { published: 60 })
})

test('a rule drafted from it is tried, kept as shadow, and counts', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=campaign')
  const pane = await paneShows(page)
  await pane.getByRole('link', { name: 'Make a rule from this' }).click()
  const draft = await page.getByLabel('The rule file').inputValue()
  assert.match(draft, /shadow/)
  const passed = page.getByText(/Self-test: \d+ cases, 0 failed\./)
  await passed.waitFor()
  await page.getByText(/It hits 60 comments of 60 .*: 60 of this campaign, 0 beside it/).waitFor()

  // A draft that is wrong is not kept, and what was typed is still there.
  page.forgiven.push(/422/)
  await page.getByLabel('The rule file').fill(`${draft}\nnonsense = "here`)
  await page.getByRole('button', { name: 'Keep as shadow' }).click()
  await page.getByRole('alert').waitFor()
  assert.match(await page.getByLabel('The rule file').inputValue(), /nonsense/)
  await page.getByLabel('The rule file').fill(draft)
  await page.getByRole('button', { name: 'Try it again' }).click()
  await passed.waitFor()
  await page.getByRole('button', { name: 'Keep as shadow' }).click()
  await page.waitForURL('**/admin/rules?said=draft-kept')
  await page.getByText('The draft is kept').waitFor()
  const line = page.locator('.line', { hasText: 'anna' })
  const name = await line.locator('b').first().textContent()
  await eventually('the draft is matched', async () => {
    await page.reload()
    return (await line.getByText('matched as shadow').count()) === 1
  })

  await service.send({ ...copies(61)[60], id: 'after-the-rule' })
  const { assessment } = await service.comment('after-the-rule')
  const found = assessment.evidence.filter(evidence => evidence.rule?.startsWith(`${name}/`))
  assert.deepEqual(found.map(evidence => evidence.points), [0], 'it is seen and weighs nothing')
  await page.goto(`/admin/rules?q=${encodeURIComponent(name)}`)
  const rule = page.getByRole('row', { name: new RegExp(name) })
  assert.deepEqual((await rule.getByRole('cell').allTextContents()).slice(0, 1), ['shadow'])
  assert.equal(await rule.getByRole('cell').nth(2).textContent(), '1', 'one hit')
  await page.getByRole('button', { name: 'Remove the draft' }).click()
  await page.getByText('The draft is gone.').waitFor()
})

test('a petition can be allowed and allowed no more', async t => {
  await service.send(...copies(4, 'petition', { text: 'I sign the open letter for a safe crossing at Mill Road school, because our children deserve to arrive.' }))
  const card = (await service.queue('kind=campaign')).find(one => one.campaign.comments.includes('petition-0'))
  const page = await person(t, service, 'anna', `/campaigns/gazette/${card.campaign.id}`)
  await page.getByText('This campaign is legitimate').click()
  await page.getByLabel('What it is').fill('Letter for the crossing')
  await page.getByRole('button', { name: 'Allow it' }).click()
  await page.getByText('The campaign is allowed.').waitFor()
  assert.ok(!(await service.queue('kind=campaign')).some(one => one.id === card.id), 'its card has left the queue')
  await page.goto('/campaigns')
  await page.getByText('Letter for the crossing').waitFor()
  await page.getByRole('button', { name: 'Allow no more' }).click()
  await page.getByText('The campaign is allowed no more.').waitFor()
  await page.getByText('None is allowed now.').waitFor()
})

test('what was left out further down is told of, ticked where it is shown, and can be taken back', async t => {
  await service.send(...singles(2, 'beside'))
  const page = await person(t, service, 'anna', '/queue')
  const card = (await service.queue('kind=campaign')).find(one => one.campaign.size >= 60).id
  await page.locator(`.card[data-id="${card}"] .open`).click()
  const pane = await paneShows(page, card)
  const more = page.locator('#pane [data-expand]')
  await more.click()
  const box = page.locator('#pane [data-except]').nth(20)
  await box.check()
  const left = await box.getAttribute('value')
  const away = async () => {
    await page.locator('.card:not(.current) .open').first().click()
    await eventually('another card is shown', async () => ((await shown(page)) ?? card) !== card)
    await page.locator(`.card[data-id="${card}"] .open`).click()
    await paneShows(page, card)
  }
  await away()
  await page.locator('#pane .kept', { hasText: '1 more is left out' }).waitFor()
  await more.click()
  await eventually('its box is ticked', () => page.locator(`#pane [data-except][value="${left}"]`).isChecked())
  assert.equal(await page.locator('#pane .kept').count(), 0)
  await page.locator(`#pane [data-except][value="${left}"]`).uncheck()
  await page.locator(`#pane [data-except][value="${left}"]`).check()
  await away()
  await page.getByRole('button', { name: 'Leave none of them out' }).click()
  assert.equal(await page.locator('#pane .kept').count(), 0)
  await pane.getByRole('button', { name: /^Reject all 6\d/ }).click()
  await toast(page, /Rejected · 6\d comments/)
  await page.keyboard.press('u')
  await toast(page, 'everything is as it was')
})
