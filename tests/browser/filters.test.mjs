// Filters, views of them that are kept, and decisions about a selection.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, eventually, paneShows, person, row, serve, singles, toast } from './support.mjs'

const service = await serve({ users: ['anna', 'ben', 'vera'] })
await service.api('PUT', '/v1/articles/story-0', { site: 'gazette', title: 'Tram to the Harbour', section: 'Transport' })
await service.send(...singles(18), ...copies(4), ...singles(4, 'valley', { site: 'courier' }), {
  id: 'zebra',
  author: { id: 'zoo', name: 'Zoo' },
  text: 'The zebra crossing at Mill Lane was repainted twice this year, which raises thoughtful questions for every single one of us.',
})

const listed = page => page.locator('.card').evaluateAll(all => all.map(card => card.dataset.comment ?? card.dataset.kind))

test('a filter leaves what fits, and says so in the address', async t => {
  const page = await person(t, service, 'anna')
  await paneShows(page)
  await page.locator('summary', { hasText: 'Filter' }).click()
  await page.getByLabel('Words in the text').fill('zebra')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.waitForURL(url => url.searchParams.get('text') === 'zebra')
  assert.deepEqual(await listed(page), ['zebra'])
  await page.getByRole('link', { name: 'Clear' }).click()
  await page.waitForURL('**/queue')
  assert.equal((await listed(page)).length, 24)
})

for (const [query, fits] of [
  ['kind=campaign', list => list.length === 1 && list[0] === 'campaign'],
  ['site=courier', list => list.length === 4 && list.every(id => id.startsWith('valley-'))],
  ['author=zoo', list => list.length === 1 && list[0] === 'zebra'],
  ['section=Transport', list => list.includes('single-0') && !list.includes('single-1')],
  ['kind=comment&status=published', list => list.length === 23],
  ['escalated=true', list => list.length === 0],
  ['verdict=hold', list => list.length === 0],
  ['one_in_from=1000000', list => list.length < 24],
]) {
  test(`the filter ${query}`, async t => {
    const page = await person(t, service, 'anna', `/queue?${query}`)
    const list = await listed(page)
    assert.ok(fits(list), list.join())
    assert.equal(list.length, (await service.queue(`${query}&limit=200`)).length, 'as the API has it')
  })
}

test('a new card that does not fit the filter is not put into the list', async t => {
  const page = await person(t, service, 'anna', '/queue?text=zebra')
  await paneShows(page)
  await page.evaluate(() => (window.counts = document.querySelector('nav [data-count="all"]').textContent))
  await service.send(...singles(1, 'unfitting'))
  await eventually('the page has heard of it', async () => page.evaluate(() => document.querySelector('nav [data-count="all"]').textContent !== window.counts))
  const offer = page.locator('#fresh')
  if (await offer.isVisible()) await offer.click()
  await eventually('nothing is offered any more', async () => !(await offer.isVisible()))
  assert.deepEqual(await listed(page), ['zebra'])
})

test('views: one of my own, one for everybody', async t => {
  const anna = await person(t, service, 'anna', '/queue?site=courier')
  await anna.getByLabel('Keep this filter as').fill('Only the valley')
  await anna.getByRole('button', { name: 'Keep the view' }).click()
  await anna.getByText('The view is kept.').waitFor()
  await anna.goto('/queue?text=zebra')
  await anna.getByLabel('Keep this filter as').fill('Zebras')
  await anna.getByLabel('for everybody').check()
  await anna.getByRole('button', { name: 'Keep the view' }).click()
  await anna.getByText('The view is kept.').waitFor()
  await anna.getByRole('link', { name: 'Only the valley' }).click()
  await anna.waitForURL(/view=/)
  assert.equal((await listed(anna)).length, 4)

  const ben = await person(t, service, 'ben')
  assert.equal(await ben.getByRole('link', { name: 'Only the valley' }).count(), 0)
  await ben.getByRole('link', { name: /Zebras.*anna/ }).click()
  await ben.waitForURL(/view=/)
  assert.deepEqual(await listed(ben), ['zebra'])
  assert.equal(await ben.getByRole('button', { name: /Forget this view/ }).count(), 0, 'it is not his to forget')

  await anna.getByRole('button', { name: 'Forget this view Zebras' }).click()
  await anna.getByText('The view is gone.').waitFor()
  await ben.goto('/queue')
  assert.equal(await ben.getByRole('link', { name: /Zebras/ }).count(), 0)
})

test('a selection by keys is decided after a sample was shown, and comes back', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment&site=gazette')
  await paneShows(page)
  const chosen = (await page.locator('.card').evaluateAll(all => all.map(card => [card.dataset.id, card.dataset.comment]))).slice(0, 7)
  await page.keyboard.press('x')
  for (const [id] of chosen.slice(1)) {
    await page.keyboard.press('j')
    await paneShows(page, id)
  }
  await page.keyboard.press('Shift+X')
  await page.getByText('7 selected', { exact: true }).waitFor()
  await page.keyboard.press('d')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: /7 selected/ }).waitFor()
  assert.equal(await dialog.getByRole('listitem').count(), 5, 'a sample')
  await dialog.getByText('and 2 more', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await eventually('the dialog is closed', async () => (await dialog.count()) === 0)
  for (const [, id] of chosen) assert.equal((await service.comment(id)).decided_by, undefined)
  await page.keyboard.press('d')
  await dialog.getByLabel('Reason').fill('templated')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await toast(page, 'Rejected · 7 selected')
  assert.deepEqual([...new Set(await service.statuses(chosen.map(([, id]) => id)))], ['rejected'])
  assert.equal((await service.decisions(1))[0].reason, 'templated')
  for (const [, id] of chosen) assert.equal(await row(page, id).count(), 0)
  await page.keyboard.press('u')
  await toast(page, 'everything is as it was')
  assert.deepEqual([...new Set(await service.statuses(chosen.map(([, id]) => id)))], ['published'])
  for (const [, id] of chosen) await row(page, id).waitFor()
})

test('a selection of two sites by the mouse is one selection', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  for (const id of ['valley-0', 'single-3', 'valley-2']) await row(page, id).getByRole('checkbox').check()
  await page.getByText('3 selected', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Approve selected…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
  await toast(page, 'Approved · 3 selected')
  assert.ok((await service.comment('valley-0', 'courier')).decided_by && (await service.comment('single-3')).decided_by)
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await toast(page, 'everything is as it was')
  for (const id of ['valley-0', 'single-3', 'valley-2']) await row(page, id).waitFor()
})

test('a range by the mouse: the box with shift takes all up to it', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  const boxes = page.locator('.card > input')
  await boxes.nth(1).click()
  await boxes.nth(5).click({ modifiers: ['Shift'] })
  await page.getByText('5 selected', { exact: true }).waitFor()
})

test('who only looks is offered no decision', async t => {
  const page = await person(t, service, 'vera')
  await paneShows(page)
  for (const name of ['Approve', 'Reject', 'Escalate', 'Skip']) assert.equal(await page.locator('main').getByRole('button', { name, exact: true }).count(), 0)
  assert.equal(await page.locator('.card > input').count(), 0)
  const before = await page.locator('.card').count()
  await page.keyboard.press('f')
  await page.keyboard.press('j')
  await eventually('the second card is open', () => page.evaluate(() => document.querySelectorAll('.card')[1].classList.contains('current')))
  assert.equal(await page.locator('.card').count(), before)
})
