// A queue worked off by the keyboard alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, eventually, paneShows, person, serve, shown, singles, toast } from './support.mjs'

const service = await serve()

/** From now on the page notes how long after a key the pane shows another card. */
async function timePane(page) {
  await page.evaluate(() => {
    const pane = document.getElementById('pane')
    const id = () => pane.querySelector('[data-id]')?.dataset.id ?? null
    let begun = 0
    let before = null
    window.times = []
    addEventListener('keydown', () => ([begun, before] = [performance.now(), id()]), true)
    new MutationObserver(() => {
      // Until it is fetched the pane is empty; that is not yet the next card.
      if (!begun || !id() || id() === before) return
      window.times.push(performance.now() - begun)
      begun = 0
    }).observe(pane, { childList: true })
  })
}

test('a hundred cards are decided with hardly more than a key each', async t => {
  await service.send(...singles(90), ...copies(4, 'north'), ...copies(4, 'south', { text: undefined }).map((one, at) => ({
    ...one,
    text: `What a wonderful and thought-provoking piece about the old lighthouse, thank you so much for sharing this inspiring story number ${at}!`,
  })))
  await service.send(...singles(8, 'late'))
  const cards = await service.queue()
  assert.equal(cards.length, 100)
  const page = await person(t, service, 'anna')
  await paneShows(page, cards[0].id)
  await timePane(page)

  let keys = 0
  const done = []
  const press = async key => {
    keys += 1
    await page.keyboard.press(key)
  }
  const isCampaign = id => cards.find(card => card.id === id).kind === 'campaign'
  /** The key decides the card that is open, and the one below it is open then. */
  const decide = async (key, action) => {
    const card = await shown(page)
    const next = await page.evaluate(() => document.querySelector('.card.current').nextElementSibling?.dataset.id ?? null)
    const times = await page.evaluate(() => window.times.length)
    const whole = isCampaign(card) ? { f: 'Shift+A', d: 'Shift+R' }[key] : undefined
    await press(whole ?? key)
    await page.waitForFunction(count => window.times.length > count, times)
    if (next) assert.equal(await shown(page), next, 'the card below is open')
    done.push({ card, action })
  }

  const plan = ['f', 'd', 'f', 'd', 'f', 'd', 's', 'f', 'd', 'e']
  const named = { f: 'approve', d: 'reject', s: 'skip', e: 'escalate' }
  for (let at = 0; at < 80; at += 1) await decide(plan[at % plan.length], named[plan[at % plan.length]])

  // One was a mistake: it comes back, is open, and is decided otherwise.
  const answered = page.waitForResponse('**/v1/decisions')
  await decide('f', 'approve')
  const mistaken = done.pop()
  await answered
  await press('u')
  await paneShows(page, mistaken.card)
  await decide('d', 'reject')

  // The rest is one selection.
  await eventually('the rest of the list is there', async () => (await page.locator('.card').count()) === 19)
  const rest = await page.locator('.card').evaluateAll(all => all.map(card => card.dataset.id))
  await page.evaluate(() => document.querySelector('#rows .card .open').focus())
  while ((await shown(page)) !== rest[0]) {
    const before = await shown(page)
    await press('k')
    await page.waitForFunction(id => document.querySelector('#pane [data-id]')?.dataset.id !== id, before)
  }
  await press('x')
  for (const id of rest.slice(1)) {
    await press('j')
    await paneShows(page, id)
  }
  await press('Shift+X')
  await page.getByText('19 selected', { exact: true }).waitFor()
  await press('d')
  await page.getByRole('dialog').waitFor()
  await press('Enter')
  for (const card of rest) done.push({ card, action: 'reject' })
  await toast(page, 'Rejected · 19 selected')
  const open = (await service.queue()).map(card => card.id).sort()
  const left = done.filter(one => ['skip', 'escalate'].includes(one.action)).map(one => one.card)
  assert.deepEqual(open, left.sort(), 'what was skipped or escalated is still open, and nothing else')

  assert.equal(done.length, 100)
  assert.ok(keys / done.length <= 1.2, `${keys} keys for ${done.length} decisions`)
  const times = (await page.evaluate(() => window.times)).sort((a, b) => a - b)
  const median = times[Math.floor(times.length / 2)]
  console.log(`${keys} keys for ${done.length} cards; the next card shows after ${median.toFixed(1)} ms (median of ${times.length}), ${times.at(-1).toFixed(1)} ms at most`)
  assert.ok(median < 1000, `the next card shows after ${median} ms`)

  // The API tells the same.
  const decisions = (await service.decisions()).filter(decision => !decision.undone_at)
  const decided = new Map(decisions.flatMap(decision => decision.comments.map(comment => [comment, decision.action])))
  for (const { card, action } of done) {
    const was = cards.find(one => one.id === card)
    const comments = was.campaign ? was.campaign.comments : [was.comment.id]
    for (const comment of comments) assert.equal(decided.get(comment), action, `${comment} of ${card}`)
  }
  const undone = (await service.decisions()).filter(decision => decision.undone_at)
  assert.deepEqual(undone.map(decision => decision.action), ['approve'])
})

test('an undo that is faster than the answer is about the last decision', async t => {
  await service.send(...singles(3, 'quick'))
  const page = await person(t, service, 'anna', '/queue')
  await paneShows(page)
  const first = await shown(page)
  const answered = page.waitForResponse('**/v1/decisions')
  await page.keyboard.press('f')
  await answered
  const second = await eventually('the next card is open', async () => (await shown(page)) !== first && shown(page))
  let letGo
  const held = new Promise(resolve => (letGo = resolve))
  await page.route('**/v1/decisions', async route => {
    await held
    await route.continue()
  })
  await page.keyboard.press('d')
  await eventually('the third card is open', async () => (await shown(page)) !== second)
  await page.keyboard.press('u')
  letGo()
  await paneShows(page, second)
  await eventually('only the rejection is undone', async () => {
    const [rejection, approval] = await service.decisions(2)
    assert.deepEqual([rejection.action, Boolean(rejection.undone_at), approval.action, Boolean(approval.undone_at)], ['reject', true, 'approve', false])
  })
})
