// What happens to one's work when something comes between: somebody else, a cut line, the end of a session, another page.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, eventually, fillLogin, paneShows, person, serve, shown, singles, toast } from './support.mjs'

const service = await serve({ users: ['anna', 'ben', 'cleo'] })

/** Takes the next comments in as cards, and what is left of the last test away. */
async function fresh(...comments) {
  const left = (await service.queue()).flatMap(card => card.campaign?.comments ?? [card.comment.id])
  for (const id of left) await service.api('POST', `/v1/comments/gazette/${id}/status`, { status: 'published' })
  await service.send(...comments)
  return service.queue()
}

const claimant = async id => (await service.api('GET', `/v1/queue/${id}`)).claimed_by
const has = (name, id) => eventually(`${name} has the card`, async () => (await claimant(id)) === `user:${name}`)
const select = async (page, ...ids) => {
  for (const id of ids) await page.locator(`.card[data-id="${id}"] > input`).check()
}
const note = page => page.locator('#pane form.decide').getByLabel('Note', { exact: true })

async function write(page, text) {
  await page.locator('#pane summary', { hasText: 'with a reason or a note' }).click()
  await note(page).fill(text)
}

test('an escalated card is looked at by a moderator, and decided by a lead', async t => {
  const [card] = await fresh(...singles(1, 'escalated'))
  await service.api('POST', '/v1/decisions', { item: card.id, action: 'escalate' })
  const ben = await person(t, service, 'ben')
  const pane = await paneShows(ben, card.id)
  await pane.getByText('a lead decides it').waitFor()
  assert.equal(await pane.getByRole('button', { name: /^(Approve|Reject)/ }).count(), 0)
  await ben.keyboard.press('d')
  await toast(ben, 'a lead decides it')
  const anna = await person(t, service, 'anna')
  await paneShows(anna, card.id)
  await has('anna', card.id)
  await anna.keyboard.press('d')
  await toast(anna, 'Rejected · 1 comment')
})

test('a card that somebody has on the desk is taken over, and he is told', async t => {
  const [card] = await fresh(...singles(1, 'taken'))
  const ben = await person(t, service, 'ben')
  await paneShows(ben, card.id)
  await has('ben', card.id)
  const cleo = await person(t, service, 'cleo')
  const pane = await paneShows(cleo, card.id)
  await pane.getByRole('button', { name: 'Take over' }).click()
  await toast(cleo, 'The card is yours.')
  assert.equal(await claimant(card.id), 'user:cleo')
  await ben.locator('#pane .conflict', { hasText: 'cleo took this card over.' }).waitFor()
  assert.equal(await pane.getByRole('button', { name: 'Take over' }).isVisible(), false)
  await cleo.keyboard.press('f')
  await toast(cleo, 'Approved · 1 comment')
})

test("a refused decision says that the card is somebody's, not that he was faster", async t => {
  const [item] = await fresh(...singles(1, 'reason'))
  // There is a decision about it: it was skipped before.
  await service.api('POST', '/v1/decisions', { item: item.id, action: 'skip' })
  const cleo = await person(t, service, 'cleo')
  cleo.forgiven.push(/409/)
  await paneShows(cleo, item.id)
  await cleo.route('**/v1/decisions', async route => {
    await service.api('POST', '/v1/queue/claims', { items: [item.id], take_over: true })
    await route.continue()
  })
  await cleo.keyboard.press('f')
  await cleo.locator('.toast.error', { hasText: 'has this card on the desk' }).waitFor()
})

test('what was written is still there after a refusal', async t => {
  const [card] = await fresh(...singles(3, 'offline'))
  const page = await person(t, service, 'anna')
  page.forgiven.push(/ERR_|Failed to load/)
  await paneShows(page, card.id)
  await has('anna', card.id)
  await write(page, 'a long thought')
  await page.context().setOffline(true)
  await page.locator('#pane').getByRole('button', { name: 'Reject', exact: false }).first().click()
  await page.locator('.toast.error', { hasText: 'Your decision was not kept' }).waitFor()
  await paneShows(page, card.id)
  assert.equal(await note(page).inputValue(), 'a long thought')
  await page.context().setOffline(false)
  await page.locator('#pane').getByRole('button', { name: 'Reject', exact: false }).first().click()
  await toast(page, 'Rejected · 1 comment')
  assert.equal((await service.decisions(1))[0].note, 'a long thought')
})

test('what was written waits while one goes about', async t => {
  const [card, other] = await fresh(...singles(3, 'about'))
  const page = await person(t, service, 'anna')
  await paneShows(page, card.id)
  await write(page, 'half a thought')
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await paneShows(page, other.id)
  assert.equal(await note(page).inputValue(), '')
  await page.keyboard.press('k')
  await paneShows(page, card.id)
  assert.equal(await note(page).inputValue(), 'half a thought')
  await page.reload()
  await paneShows(page, card.id)
  assert.equal(await note(page).inputValue(), 'half a thought')
})

test('a session that ended is said in words, and nothing is lost by it', async t => {
  const [card] = await fresh(...singles(2, 'ended'))
  const page = await person(t, service, 'cleo')
  page.forgiven.push(/401|ERR_/)
  await paneShows(page, card.id)
  await write(page, 'before the end')
  await page.context().clearCookies()
  await page.locator('#pane').getByRole('button', { name: 'Reject' }).first().click()
  const out = page.locator('#logged-out')
  await out.waitFor()
  assert.ok(!(await page.locator('body').textContent()).includes('Bearer'))
  await out.getByRole('link', { name: 'Log in' }).click()
  await page.waitForURL('**/login?next=%2Fqueue')
  await fillLogin(page, 'cleo')
  await page.waitForURL('**/queue')
  service.sessions.set('cleo', await page.context().cookies())
  await page.locator(`.card[data-id="${card.id}"] .open`).click()
  await paneShows(page, card.id)
  assert.equal(await note(page).inputValue(), 'before the end')
})

test('one card of somebody else does not keep a selection', async t => {
  const cards = await fresh(...singles(5, 'several'))
  const ids = cards.map(card => card.id)
  const page = await person(t, service, 'ben')
  page.forgiven.push(/409/)
  await paneShows(page, ids[0])
  await has('ben', ids[0])
  await select(page, ...ids.slice(0, 4))
  // Somebody is faster with one of them, and the desk has not heard of it. (To end the routing in here would let the request go on.)
  let faster = false
  await page.route('**/v1/decisions', async route => {
    if (!faster) {
      faster = true
      await service.api('POST', '/v1/decisions', { item: ids[2], action: 'approve' })
    }
    await route.continue()
  })
  await page.keyboard.press('d')
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click()
  await toast(page, 'Rejected · 3 of 4')
  await page.locator('.toast.error', { hasText: /left out: .* was faster: Approved/ }).waitFor()
  await eventually('nothing is selected any more', async () => (await page.locator('#picked').textContent()) === 'Nothing selected')
  const statuses = await service.statuses(cards.map(card => card.comment.id))
  assert.deepEqual(statuses, ['rejected', 'rejected', 'published', 'rejected', 'published'])
})

test('after a selection of all that is listed the next card is shown', async t => {
  await fresh(...singles(30, 'many'))
  const page = await person(t, service, 'anna')
  await paneShows(page)
  const boxes = page.locator('.card > input')
  const listed = await boxes.count()
  for (let at = 0; at < listed; at += 1) await boxes.nth(at).check()
  await page.keyboard.press('d')
  await page.getByRole('dialog').getByText(`and ${listed - 5} more`).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click()
  await toast(page, `Rejected · ${listed} selected`)
  await paneShows(page)
  assert.equal((await service.queue()).length, 30 - listed)
})

test('what another person takes back is offered to everybody', async t => {
  const cards = await fresh(...singles(2, 'back'))
  const { id } = await service.api('POST', '/v1/decisions', { item: cards[0].id, action: 'reject' })
  const page = await person(t, service, 'ben')
  await paneShows(page, cards[1].id)
  await service.api('POST', `/v1/decisions/${id}/undo`)
  await page.getByRole('button', { name: 'Show 1 new' }).click()
  await page.locator(`.card[data-id="${cards[0].id}"]`).waitFor()
})

test('after the page was loaded again, the newest decision can still be taken back', async t => {
  const [card] = await fresh(...singles(2, 'again'))
  const page = await person(t, service, 'ben')
  await paneShows(page, card.id)
  await page.keyboard.press('d')
  await toast(page, 'Rejected · 1 comment')
  await page.reload()
  await paneShows(page)
  await page.keyboard.press('u')
  await page.getByRole('dialog').getByText('Rejected · 1 comment').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click()
  await page.locator(`.card[data-id="${card.id}"]`).waitFor()
  assert.equal((await service.comment(card.comment.id)).status, 'published')
})

test('the way back leads to the card that was open', async t => {
  const cards = await fresh(...singles(4, 'place'))
  const page = await person(t, service, 'anna')
  await paneShows(page)
  await page.locator(`.card[data-id="${cards[2].id}"] .open`).click()
  await paneShows(page, cards[2].id)
  await page.locator('#pane').getByRole('link', { name: 'permalink' }).click()
  await page.waitForURL('**/comments/**')
  await page.goBack()
  await paneShows(page, cards[2].id)
})

test('Escape leaves a field, then the selection', async t => {
  const cards = await fresh(...singles(2, 'escape'))
  const page = await person(t, service, 'anna')
  await paneShows(page)
  await select(page, cards[0].id, cards[1].id)
  await write(page, 'x')
  await page.keyboard.press('Escape')
  assert.equal(await page.evaluate(() => document.activeElement.matches('textarea')), false)
  await page.getByText('2 selected', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  assert.equal(await page.locator('.card > input:checked').count(), 0)
})

test("a card's own page claims it, tells of others, and goes on to the next", async t => {
  const cards = await fresh(...singles(3, 'own'))
  const ben = await person(t, service, 'ben', `/queue/${cards[1].id}`, { viewport: { width: 360, height: 740 } })
  await has('ben', cards[1].id)
  await ben.locator('#pane').getByRole('button', { name: 'Reject' }).first().click()
  await toast(ben, 'Rejected · 1 comment')
  await ben.waitForURL(url => url.pathname === `/queue/${cards[2].id}`)
  await has('ben', cards[2].id)
  await ben.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await ben.waitForURL(url => url.pathname === `/queue/${cards[1].id}`)
  await ben.locator('#pane').getByText('Previous card').first().click()
  await ben.waitForURL(url => url.pathname === `/queue/${cards[0].id}`)
  await has('ben', cards[0].id)
  await service.api('POST', '/v1/decisions', { item: cards[0].id, action: 'approve' })
  await ben.locator('#pane .conflict', { hasText: 'Approved by' }).waitFor()
})

test('a comment that went into a campaign is found on its card', async t => {
  const [card] = await fresh(...copies(1, 'absorbed'))
  const page = await person(t, service, 'ben', '/help')
  page.forgiven.push(/409|ERR_FAILED/)
  await page.route(/\/v1\/(events|queue\/claims)/, route => route.abort())
  await page.goto('/queue')
  await paneShows(page, card.id)
  await service.send(...copies(6, 'absorbed').slice(1))
  const campaign = await eventually('the copies are one card', async () => (await service.queue('kind=campaign'))[0])
  await page.keyboard.press('f')
  const told = page.locator('.toast.error', { hasText: "stands on its campaign's card" })
  await told.getByRole('button', { name: 'Show the campaign' }).click()
  await eventually('the campaign is shown', async () => (await shown(page)) === campaign.id)
})
