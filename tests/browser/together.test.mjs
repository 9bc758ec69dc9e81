// Several people on one desk: who has what, who was faster, and what happens while one looks.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PATIENCE, eventually, paneShows, person, serve, shown, singles, toast, visitor } from './support.mjs'

const service = await serve({ users: ['anna', 'ben', 'cleo', 'vera'] })

const count = page => page.locator('nav [data-count="all"]').first().textContent().then(Number)

/** Takes the next comments in as cards. What the last test left goes first, as the content system's doing: somebody may still have it. */
async function fresh(number, prefix) {
  for (const card of await service.queue()) await service.api('POST', `/v1/comments/gazette/${card.comment.id}/status`, { status: 'published' })
  await service.send(...singles(number, prefix))
  return service.queue()
}

/** Waits until somebody has a card. */
const has = (name, id) => eventually(`${name} has the card`, async () => (await service.api('GET', `/v1/queue/${id}`)).claimed_by === `user:${name}`)

/** Lays a card open, which may not be the one that the desk opens by itself. */
async function open(page, id) {
  await paneShows(page)
  await page.locator(`.card[data-id="${id}"] .open`).click()
  await paneShows(page, id)
}

/** A browser that hears nothing of what others do, and of whom nobody hears. */
async function deaf(t, name, path = '/queue') {
  const page = await person(t, service, name, '/help')
  page.forgiven.push(/ERR_FAILED|409/)
  await page.route(/\/v1\/(events|queue\/claims)/, route => route.abort())
  await page.goto(path)
  return page
}

/** vera looks on all the time; she only looks, so she takes no card into her hands. */
const onlooker = await person({ after }, service, 'vera')

test('who else is here is said', async t => {
  const cleo = await person(t, service, 'cleo')
  await cleo.getByText('Also here: vera').waitFor()
  await onlooker.getByText('Also here: cleo').waitFor()
})

test('who has a card is said', async t => {
  const [card, other] = await fresh(3, 'claims')
  const ben = await person(t, service, 'ben')
  await paneShows(ben, card.id)
  await ben.keyboard.press('j')
  await paneShows(ben, other.id)
  const anna = await person(t, service, 'anna')
  await paneShows(anna, card.id)
  await ben.locator(`.card[data-id="${card.id}"]`).getByText('with anna').waitFor()
  await anna.locator(`.card[data-id="${other.id}"]`).getByText('with ben').waitFor()
  // Whoever opens it is told.
  await ben.keyboard.press('k')
  const pane = await paneShows(ben, card.id)
  await pane.getByText(/with anna/).waitFor()
  await anna.keyboard.press('j')
  await anna.keyboard.press('j')
  await eventually('the card is free again', async () => !(await ben.locator(`.card[data-id="${card.id}"] [data-claim]`).isVisible()))
})

test('both have a card open: the other sees who decided, and what', async t => {
  const [card] = await fresh(3, 'both')
  const anna = await person(t, service, 'anna')
  await paneShows(anna, card.id)
  await has('anna', card.id)
  const ben = await person(t, service, 'ben')
  await open(ben, card.id)
  await ben.getByText(/Also here: anna/).waitFor()
  await anna.keyboard.press('d')
  await ben.locator('.pane .conflict', { hasText: 'Rejected by anna' }).waitFor()
  assert.equal(await ben.locator('#pane').getByRole('button', { name: 'Approve' }).isDisabled(), true)
  await ben.keyboard.press('f')
  await eventually('another card is open', async () => ![null, card.id].includes(await shown(ben)))
  await eventually('the card has left the list', async () => (await ben.locator(`.card[data-id="${card.id}"]`).count()) === 0)
  const comment = await service.comment(card.comment.id)
  assert.deepEqual([comment.status, comment.decided_by], ['rejected', 'user:anna'])
})

test('who did not hear of it is told after the key, and changes nothing', async t => {
  const [card] = await fresh(3, 'deaf')
  const ben = await deaf(t, 'ben')
  await paneShows(ben, card.id)
  await service.api('POST', '/v1/decisions', { item: card.id, action: 'reject' })
  await ben.keyboard.press('f')
  await ben.locator(`.card[data-id="${card.id}"]`, { hasText: /was faster: Rejected\. Nothing of yours was changed/ }).waitFor()
  assert.equal((await service.comment(card.comment.id)).status, 'rejected')
  assert.equal((await service.decisions(1))[0].action, 'reject')
})

/** A card's own page, for somebody whose browser runs no scripts. */
async function scriptless(t, name, path) {
  const page = await visitor(t, service, { javaScriptEnabled: false })
  await page.context().addCookies(service.sessions.get(name))
  page.forgiven.push(/409/)
  await page.goto(path)
  return page
}

test("a stale card's page says who was faster, and with what, and changes nothing", async t => {
  const [card] = await fresh(2, 'stale')
  const ben = await scriptless(t, 'ben', `/queue/${card.id}`)
  const anna = await person(t, service, 'anna')
  await paneShows(anna, card.id)
  await anna.keyboard.press('d')
  await toast(anna, 'Rejected')
  await ben.getByRole('button', { name: 'Approve' }).click()
  await ben.waitForURL('**/decide')
  const said = await ben.locator('main').textContent()
  assert.match(said, /anna was faster/)
  assert.match(said, /reject/i)
  const comment = await service.comment(card.comment.id)
  assert.deepEqual([comment.status, comment.decided_by], ['rejected', 'user:anna'])
  assert.equal((await service.decisions()).filter(one => one.comments.includes(card.comment.id)).length, 1)
})

test('a card that somebody else has on the desk is not taken from under his hands', async t => {
  const [card] = await fresh(2, 'held')
  const anna = await person(t, service, 'anna')
  await paneShows(anna, card.id)
  await has('anna', card.id)
  const ben = await person(t, service, 'ben')
  ben.forgiven.push(/409/)
  await open(ben, card.id)
  await ben.keyboard.press('f')
  await ben.locator('.toast.error', { hasText: 'anna has this card on the desk.' }).waitFor()
  await ben.locator(`.card[data-id="${card.id}"]`).waitFor()
  assert.equal((await service.comment(card.comment.id)).decided_by, undefined)
})

test('what comes is offered without a reload, and the numbers grow', async t => {
  await fresh(2, 'before')
  const page = await person(t, service, 'anna')
  await paneShows(page)
  await eventually('the page listens', async () => (await count(page)) === 2)
  const before = await shown(page)
  await page.evaluate(() => (window.stayed = true))
  await service.send(...singles(1, 'after'))
  const offer = page.getByRole('button', { name: 'Show 1 new' })
  await offer.waitFor()
  await eventually('the number has grown', async () => (await count(page)) === 3)
  assert.equal(await page.locator('.card').count(), 2, 'the list does not move by itself')
  await offer.click()
  await page.locator('.card[data-comment="after-0"]').waitFor()
  assert.equal(await offer.isVisible(), false)
  assert.deepEqual([await shown(page), await page.evaluate(() => window.stayed)], [before, true])
})

test('into an empty list new cards come by themselves', async t => {
  await fresh(0, 'none')
  const page = await person(t, service, 'anna')
  await page.getByText('Nothing waits here.').waitFor()
  await page.waitForLoadState('networkidle').catch(() => {})
  await service.send(...singles(1, 'first'))
  await page.locator('.card[data-comment="first-0"]').waitFor()
  await paneShows(page)
})

test('after the line was cut, what came meanwhile is offered', async t => {
  await fresh(2, 'line')
  const page = await person(t, service, 'anna')
  page.forgiven.push(/ERR_|Failed to load/)
  await paneShows(page)
  await page.context().setOffline(true)
  await service.send(...singles(2, 'meanwhile'))
  await page.context().setOffline(false)
  await page.getByRole('button', { name: 'Show 2 new' }).waitFor({ timeout: PATIENCE * 2 })
  await eventually('the number has grown', async () => (await count(page)) === 4)
})

test('after the service was restarted, what came meanwhile is offered', async t => {
  await fresh(2, 'restart')
  const page = await person(t, service, 'anna')
  page.forgiven.push(/ERR_|Failed to load/)
  await paneShows(page)
  const stopped = performance.now()
  await service.stop()
  assert.ok(performance.now() - stopped < PATIENCE, 'open pages do not keep the service from ending')
  await page.keyboard.press('f')
  await page.locator('.toast.error', { hasText: 'Your decision was not kept' }).waitFor()
  assert.equal(await page.locator('.card').count(), 2, 'the card is back')
  await service.start()
  await service.send(...singles(1, 'again'))
  await page.getByRole('button', { name: 'Show 1 new' }).waitFor({ timeout: PATIENCE * 2 })
  await page.getByRole('button', { name: 'Show 1 new' }).click()
  await page.locator('.card[data-comment="again-0"]').waitFor()
  await page.keyboard.press('f')
  await toast(page, 'Approved · 1 comment')
})

test('who has left is not here any more', async () => {
  onlooker.forgiven.push(/ERR_|Failed to load/)
  await eventually('cleo is gone', async () => !(await onlooker.locator('#presence').textContent()).includes('cleo'), PATIENCE * 3)
})
