// Everything within reach: evidence by the keyboard, places by letters and numbers, the decision under the thumb, long names, paper.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRAISE, axe, copies, eventually, paneShows, person, picture, serve, singles, toast, tooWide } from './support.mjs'

const service = await serve({ users: ['anna', 'ben', 'vera'] })
await service.send(...singles(12), ...copies(6), { id: 'praise', author: { id: 'praiser', name: 'Praiser' }, text: `${PRAISE} ${PRAISE}` })
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true }
const cardOf = async id => (await service.queue()).find(card => card.comment?.id === id)

test('what a mark says is read by the keyboard: one stop, and the arrows', async t => {
  const { id } = await cardOf('praise')
  const page = await person(t, service, 'anna', `/queue/${id}?back=%2Fqueue`)
  const marks = page.locator('#pane .body mark[data-f]')
  await eventually('one of the marks is a stop', async () => (await page.locator('#pane .body mark[tabindex="0"]').count()) === 1)
  assert.ok((await marks.count()) > 1)
  const tip = page.getByRole('tooltip')
  assert.equal(await tip.count(), 0)
  await marks.first().focus()
  await tip.waitFor()
  assert.ok((await tip.textContent()).length > 5)
  await page.keyboard.press('ArrowRight')
  assert.equal(await marks.nth(1).evaluate(mark => mark === document.activeElement && mark.tabIndex === 0), true)
  assert.deepEqual(await axe(page), [])
  await page.keyboard.press('Escape')
  await tip.waitFor({ state: 'hidden' })
  await marks.first().hover()
  await tip.waitFor()
})

test('after g every place has its button, its letter, and queues a number', async t => {
  const page = await person(t, service, 'anna', '/morning')
  await page.getByRole('button', { name: /^Go to … \(then/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('link', { name: 'Campaigns' }).waitFor()
  assert.deepEqual(await axe(page), [])
  await page.keyboard.press('3')
  await page.waitForURL('**/queue?kind=comment')
  await paneShows(page)
  await page.keyboard.press('g')
  await dialog.getByRole('link', { name: 'History' }).click()
  await page.waitForURL('**/history')
})

test('who only looks has the way to the cards beside, and the reasons', async t => {
  const page = await person(t, service, 'vera', '/queue?kind=comment')
  const pane = await paneShows(page)
  for (const name of [/^Next card/, /^Previous card/, /^Why/]) assert.ok(await pane.getByRole('button', { name }).isVisible(), String(name))
  const before = await page.locator('.card.current').getAttribute('data-id')
  await pane.getByRole('button', { name: /^Next card/ }).click()
  await eventually('the next one is open', async () => (await page.locator('.card.current').getAttribute('data-id')) !== before)
})

test('on a phone the decision stays at the foot of the screen', async t => {
  const campaign = (await service.queue()).find(card => card.kind === 'campaign')
  for (const id of [(await cardOf('praise')).id, campaign.id]) {
    const page = await person(t, service, 'ben', `/queue/${id}?back=%2Fqueue`, PHONE)
    const approve = page.locator('.decide button.yes')
    await approve.waitFor()
    for (const to of [0, 100_000]) {
      await page.evaluate(y => scrollTo(0, y), to)
      const { y, height } = await approve.boundingBox()
      assert.ok(y > 370 && y + height <= 740, `the button is at ${y}`)
    }
    await page.screenshot({ path: new URL(`../out/browser/phone-decide-${id === campaign.id ? 'campaign' : 'comment'}.png`, import.meta.url).pathname })
    // What comes last is above it when all has been read.
    await eventually('the last of it stands above the bar', async () => {
      const last = await page.locator('main').evaluate(main => {
        scrollTo(0, 100_000)
        const seen = [...main.querySelectorAll('button, summary, p, li')].filter(one => !one.closest('.decide') && one.checkVisibility())
        return seen.map(one => one.getBoundingClientRect().bottom).reduce((a, b) => Math.max(a, b))
      })
      const bar = await page.locator('.decide').boundingBox()
      assert.ok(last <= bar.y, `${last} under the bar at ${bar.y}`)
    })
    assert.deepEqual(await tooWide(page), [])
  }
})

test('a long name of a view fits a phone, and a filter there is folded', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await page.getByLabel('Keep this filter as').fill('x'.repeat(120))
  await page.getByRole('button', { name: 'Keep the view' }).click()
  await page.getByText('The view is kept.').waitFor()
  await page.setViewportSize(PHONE.viewport)
  assert.deepEqual(await tooWide(page), [])
  await page.reload()
  await page.locator('.card.current').waitFor()
  await eventually('the filter is folded', async () => !(await page.locator('.filters').evaluate(one => one.open)))
  await page.locator('.filters summary .count', { hasText: '1' }).waitFor()
  await picture(page, 'queue-long-view')
})

test('an author is decided as a whole, after the number and a sample, and comes back', async t => {
  const spree = { id: 'spree', name: 'Spree' }
  await service.send(...singles(14, 'spree', { author: spree }))
  for (const javaScriptEnabled of [true, false]) {
    const page = await person(t, service, 'ben', '/authors/gazette/spree', { javaScriptEnabled })
    await page.getByRole('button', { name: 'Reject all 14 undecided…' }).click()
    await page.getByRole('heading', { name: 'Reject 14 comments by Spree?' }).waitFor()
    assert.equal(await page.locator('ol .beside').count(), 12)
    await page.getByText('and 2 more comments').waitFor()
    await picture(page, 'author-sure')
    await page.getByLabel('Reason').fill('spree')
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await page.getByText('Decided.', { exact: true }).waitFor()
    const ids = Array.from({ length: 14 }, (_, at) => `spree-${at}`)
    assert.deepEqual([...new Set(await service.statuses(ids))], ['rejected'])
    assert.equal(await page.getByRole('button', { name: /undecided/ }).count(), 0)
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Undone: everything is as it was.').waitFor()
    assert.deepEqual([...new Set(await service.statuses(ids))], ['published'])
  }
})

test("history and audit by person, action and day", async t => {
  const card = await cardOf('single-3')
  const ben = await person(t, service, 'ben', `/queue/${card.id}?back=%2Fqueue`)
  await ben.locator('#pane .decide').waitFor()
  await ben.keyboard.press('f')
  await toast(ben, 'Approved · 1 comment')
  const page = await person(t, service, 'anna', '/history')
  await page.locator('summary', { hasText: 'Filter' }).click()
  await page.getByLabel('Who').fill('ben')
  await page.getByLabel('What').selectOption('approve')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.waitForURL(/who=ben/)
  assert.equal(await page.locator('li.line').count(), 1)
  await page.getByText('ben approved 1 comment').waitFor()
  assert.deepEqual(await axe(page), [])
  await page.goto('/history?until=2020-01-01')
  await page.getByText('Nothing fits this filter.').waitFor()
  await page.goto(`/audit?who=ben&what=decision.approve&from=${new Date().toISOString().slice(0, 10)}`)
  assert.equal(await page.locator('tbody tr').count(), 1)
  await page.setViewportSize(PHONE.viewport)
  assert.deepEqual(await tooWide(page), [])
})

test('on paper nothing is cut', async t => {
  const campaign = (await service.queue()).find(card => card.kind === 'campaign')
  const page = await person(t, service, 'anna', '/queue')
  // A sheet of A4 within its margins, at 96 dots an inch.
  await page.setViewportSize({ width: 688, height: 1000 })
  for (const path of ['/queue', `/queue/${campaign.id}`, '/comments/gazette/praise', '/morning', '/band', '/admin/rules', '/audit']) {
    await page.goto(path)
    await page.emulateMedia({ media: 'print' })
    assert.deepEqual(await tooWide(page), [], path)
    const cut = await page.evaluate(() => [...document.querySelectorAll('main *')].filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible' && !one.closest('.hide')).map(one => `${one.tagName} ${one.className}`))
    assert.deepEqual(cut, [], path)
    await picture(page, `print${path.replaceAll(/[/?]/g, '-').slice(0, 24)}`)
    await page.emulateMedia({ media: 'screen' })
  }
})
