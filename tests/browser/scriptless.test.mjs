// The desk without a script: everything is a link or a form.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, fillLogin, serve, singles, visitor } from './support.mjs'

const service = await serve()
await service.send(...singles(30), ...copies(20))

/** anna, whose browser runs no scripts. */
async function scriptless(t, path) {
  const page = await visitor(t, service, { javaScriptEnabled: false })
  await page.goto(path)
  await fillLogin(page, 'anna')
  await page.waitForURL(url => url.pathname + url.search === path)
  return page
}

test('in, through the whole queue, and out', async t => {
  const page = await scriptless(t, '/queue')
  assert.equal(await page.locator('.card').count(), 25)
  await page.getByRole('link', { name: 'More', exact: true }).click()
  assert.equal(await page.locator('.card').count(), 6, 'thirty comments and a campaign')
  for (const button of await page.getByRole('button').all()) {
    if (await button.isVisible()) assert.ok(await button.evaluate(one => one.type === 'submit'), 'no button is shown that does nothing')
  }
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByText('You are logged out.').waitFor()
})

test('a card is opened, decided, and brought back', async t => {
  const page = await scriptless(t, '/queue?kind=comment')
  const first = page.locator('.card').first()
  const comment = await first.getAttribute('data-comment')
  await first.locator('a.open').click()
  await page.waitForURL('**/queue/*')
  await page.getByRole('heading', { level: 2 }).first().waitFor()
  await page.locator('summary', { hasText: 'with a reason or a note' }).click()
  await page.getByLabel('Note', { exact: true }).fill('by hand')
  await page.getByRole('button', { name: 'Reject' }).click()
  // On to the next card, as in the list.
  await page.waitForURL(/\/queue\/[^?]+\?back=/)
  await page.getByText('Decided.', { exact: true }).waitFor()
  const decided = await service.comment(comment)
  assert.deepEqual([decided.status, decided.decided_by], ['rejected', 'user:anna'])
  assert.equal((await service.decisions(1))[0].note, 'by hand')
  assert.notEqual(await page.locator('#pane [data-comment]').first().getAttribute('data-comment'), comment)
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
  await page.getByRole('link', { name: 'Back to the queue' }).click()
  await page.locator(`.card[data-comment="${comment}"]`).waitFor()
  assert.equal((await service.comment(comment)).status, 'published')
})

test('the card beside the list is decided where it stands', async t => {
  const page = await scriptless(t, '/queue?kind=comment')
  const comment = await page.locator('#pane [data-comment]').first().getAttribute('data-comment')
  await page.locator('#pane').getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Decided.', { exact: true }).waitFor()
  assert.equal((await service.comment(comment)).decided_by, 'user:anna')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
})

test('a campaign with an exception', async t => {
  const page = await scriptless(t, '/queue?kind=campaign')
  await page.locator('.card a.open').click()
  const tick = page.locator('[data-except]').nth(2)
  const spared = await tick.inputValue()
  await tick.check()
  await page.getByRole('button', { name: 'Reject all 20' }).click()
  await page.getByText('Decided.', { exact: true }).waitFor()
  const statuses = await service.statuses(copies(20).map(one => one.id))
  assert.deepEqual([statuses.filter(one => one === 'rejected').length, (await service.comment(spared)).status], [19, 'published'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
  assert.deepEqual([...new Set(await service.statuses(copies(20).map(one => one.id)))], ['published'])
})

test('a selection is asked about on a page of its own', async t => {
  const page = await scriptless(t, '/queue?kind=comment')
  await page.getByRole('button', { name: 'Reject selected…' }).click()
  await page.getByText('Nothing was selected.').waitFor()
  const boxes = page.locator('.card > input')
  const chosen = []
  for (const at of [0, 2, 3, 7]) {
    await boxes.nth(at).check()
    chosen.push(await page.locator('.card').nth(at).getAttribute('data-comment'))
  }
  await page.getByRole('button', { name: 'Reject selected…' }).click()
  await page.getByRole('heading', { name: 'Reject 4 cards with 4 comments?' }).waitFor()
  assert.equal(await page.locator('main .beside').count(), 4)
  for (const id of chosen) assert.equal((await service.comment(id)).decided_by, undefined, 'nothing is decided by asking')
  await page.getByRole('link', { name: 'Cancel' }).click()
  await page.waitForURL(/\/queue\?kind=comment/)
  for (const at of [0, 2, 3, 7]) await boxes.nth(at).check()
  await page.getByRole('button', { name: 'Reject selected…' }).click()
  await page.getByRole('button', { name: 'Yes, do it' }).click()
  await page.getByText('Decided.', { exact: true }).waitFor()
  assert.deepEqual([...new Set(await service.statuses(chosen))], ['rejected'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
  assert.deepEqual([...new Set(await service.statuses(chosen))], ['published'])
})

test('the band is chosen and decided', async t => {
  const page = await scriptless(t, '/band')
  await page.locator('#band-low').fill('5')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.waitForURL(/low=5/)
  const wanted = Number((await page.locator('#band-count').textContent()).match(/\d+/)[0])
  assert.ok(wanted > 0 && wanted < 30)
  await page.getByRole('button', { name: 'Approve the band' }).click()
  await page.getByRole('heading', { name: /^Approve \d+ cards? of the band\?/ }).waitFor()
  assert.equal((await service.queue('kind=comment&limit=200')).length, 30, 'nothing is decided by asking')
  await page.getByRole('button', { name: 'Yes, do it' }).click()
  await page.getByText('Decided.', { exact: true }).waitFor()
  assert.equal((await service.queue('kind=comment&limit=200')).length, 30 - wanted)
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
  assert.equal((await service.queue('kind=comment&limit=200')).length, 30)
})

test('an error is a page with a way back', async t => {
  const page = await scriptless(t, '/queue')
  page.forgiven.push(/40\d/)
  for (const path of ['/queue/nothing', '/comments/gazette/nothing', '/nothing', '/queue?kind=nonsense', '/admin/nothing']) {
    await page.goto(path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.getByRole('link', { name: 'To the queue' }).click()
    await page.waitForURL('**/queue')
  }
})
