// The band: what lies between two rarities is decided together.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, eventually, person, serve, singles } from './support.mjs'

const service = await serve()
const sent = singles(60)
await service.send(...sent, ...copies(5))
const ids = sent.map(comment => comment.id)

/** The chart's columns: how many cards each has. */
const columns = page => page.locator('#band').evaluate(band => JSON.parse(band.dataset.counts))
const sum = list => list.reduce((a, b) => a + b, 0)

/** Moves a handle. Before the page's script is at work nothing would follow: so it is moved again until it does. */
async function moved(page, name, to) {
  await eventually(`the address follows the handle to ${to}`, async () => {
    await page.locator(`#band-${name}`).fill(String(to))
    await page.waitForURL(url => url.searchParams.get(name) === String(to), { timeout: 2000 })
  })
}

/** Waits for the number of cards in the band. */
const says = (page, number) =>
  eventually(`${number} cards`, async () => Number((await page.locator('#band-count').textContent({ timeout: 1000 })).match(/\d+/)[0]) === number)

test('a handle that is moved takes the address, the number and the sample along', async t => {
  const page = await person(t, service, 'anna', '/band')
  const counts = await columns(page)
  assert.equal(sum(counts), 60, 'single comments are in the band, campaigns are not')
  await says(page, 60)
  const first = counts.findIndex(count => count > 0)
  await moved(page, 'low', first + 1)
  assert.ok(counts[first] > 0)
  await says(page, 60 - counts[first])
  await moved(page, 'high', counts.length - 1)
  const inside = sum(counts.slice(first + 1, -1))
  await says(page, inside)
  // By the keyboard as well, a step a key.
  await page.locator('#band-low').focus()
  await page.keyboard.press('ArrowRight')
  await page.waitForURL(url => url.searchParams.get('low') === String(first + 2))
  await says(page, inside - counts[first + 1])
  // The same address shows the same band.
  await page.reload()
  await says(page, inside - counts[first + 1])
  const wanted = Math.min(12, inside - counts[first + 1])
  assert.equal(await page.locator('#band ol .beside').count(), wanted)
})

test('the words beside a handle are its own: a click on them leads to it', async t => {
  const page = await person(t, service, 'anna', '/band')
  for (const [label, handle] of [['From', 'band-low'], ['Up to', 'band-high']]) {
    assert.equal(await page.getByLabel(label).first().getAttribute('id'), handle)
  }
})

test('the number follows while the handle is dragged', async t => {
  const page = await person(t, service, 'anna', '/band')
  const counts = await columns(page)
  const middle = Math.floor(counts.length / 3)
  await page.locator('#band-low').evaluate((handle, to) => {
    handle.value = to
    handle.dispatchEvent(new Event('input', { bubbles: true }))
  }, middle)
  const inside = sum(counts.slice(middle))
  await eventually('the number follows', async () => (await page.locator('#band-count').textContent()).match(/\d+/)[0] === String(inside))
})

test('a band is approved, each card of it, and all of it comes back', async t => {
  const page = await person(t, service, 'anna', '/band')
  const counts = await columns(page)
  const low = counts.findIndex(count => count > 0) + 1
  const high = low + 3
  await page.goto(`/band?low=${low}&high=${high}`)
  const wanted = sum(counts.slice(low, high))
  assert.ok(wanted > 0 && wanted < 60)
  await page.getByRole('button', { name: 'Approve the band' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(`Approve the band: ${wanted}`).waitFor()
  assert.ok((await dialog.getByRole('listitem').count()) > 0, 'a sample is shown before')
  await dialog.getByRole('button', { name: 'Close' }).click()
  assert.equal((await service.decisions()).length, 0, 'who closes the question has decided nothing')
  await page.getByRole('button', { name: 'Approve the band' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Approve the band' }).click()
  await page.getByText(`${wanted} cards decided in`).waitFor()

  const decided = (await Promise.all(ids.map(id => service.comment(id)))).filter(one => one.decided_by)
  assert.equal(decided.length, wanted)
  for (const { status, assessment } of decided) {
    const column = Math.min(24, Math.max(0, Math.floor(-2 * Math.log10(1 - assessment.score))))
    assert.ok(status === 'published' && column >= low && column < high, `${assessment.id} of column ${column} in ${low} to ${high}`)
  }
  assert.equal((await service.queue('kind=comment&limit=200')).length, 60 - wanted)
  await page.locator('#band-said').getByRole('button', { name: 'Undo' }).click()
  await eventually('all is back', async () => (await service.queue('kind=comment&limit=200')).length === 60)
  await eventually('the page shows it', async () => sum(await columns(page)) === 60)
  for (const id of ids) assert.equal((await service.comment(id)).decided_by, undefined)
})

test('a band of more than one portion is decided whole, and comes back whole', async t => {
  await service.send(...singles(70, 'more'))
  const page = await person(t, service, 'anna', '/band')
  await page.getByLabel('Note').fill('the whole band')
  await page.getByRole('button', { name: 'Reject the band' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reject the band' }).click()
  await page.getByText('130 cards decided in 2 decisions').waitFor()
  assert.equal((await service.queue('kind=comment&limit=200')).length, 0)
  assert.deepEqual([...new Set((await service.decisions(2)).map(decision => decision.note))], ['the whole band'])
  await page.locator('#band-said').getByRole('button', { name: 'Undo' }).click()
  await eventually('all is back', async () => (await service.queue('kind=comment&limit=200')).length === 130)
})
