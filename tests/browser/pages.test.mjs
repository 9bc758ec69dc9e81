// Every page: accessible in light and dark, whole at the width of a phone, quiet under the content security policy; with pictures in tests/out/browser.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { axe, copies, eventually, lookOver, paneShows, person, picture, serve, singles, toast, tooWide, visitor } from './support.mjs'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const ARABIC = 'هذا تعليق مكتوب من اليمين إلى اليسار، وفيه كلمات كثيرة عن الجسر والمدينة.'
const service = await serve({ users: ['anna', 'ben', 'vera'] })
await service.api('PUT', '/v1/articles/story-0', {
  site: 'gazette', title: 'A tram to the harbour, at last', section: 'Transport', url: 'https://news.example/tram', body: 'The tram will run every ten minutes.', published_at: '2026-03-01T08:00:00Z',
})
await service.send(
  ...copies(18),
  ...singles(30),
  { id: 'question', article_id: 'story-0', author: { id: 'asker', name: 'Asker' }, text: 'Will the tram stop at the old fish market as well? My mother cannot walk far.' },
  { id: 'answer', article_id: 'story-0', parent_id: 'question', author: { id: 'answerer', name: 'Answerer' }, created_at: '2026-02-03T23:30:00Z', text: 'The tram raises important questions about the fish market, and a nuanced understanding is cru\u200Bcial for all of us.' },
  { id: 'arabic', author: { id: 'arab', name: 'كاتب' }, text: `${ARABIC} The harbour, and everything else that matters to every one of us.` },
)
const cards = await service.queue()
const campaign = cards.find(card => card.kind === 'campaign')
const cardOf = comment => cards.find(card => card.comment?.id === comment).id
await service.api('POST', '/v1/decisions', { item: cardOf('single-1'), action: 'reject', reason: 'templated', note: 'as yesterday' })
await service.api('POST', '/v1/decisions', { item: cardOf('single-2'), action: 'approve' })
await service.api('POST', '/v1/decisions', { item: cardOf('single-3'), action: 'escalate' })
await service.api('POST', '/v1/notes', { kind: 'comment', site: 'gazette', subject: 'answer', text: 'seen before' })
service.cli(['hooks', 'add', 'from-the-cms', '--site', 'gazette', '--adapter', 'generic', '--secret-stdin'], SECRET)
service.cli(['callbacks', 'add', 'https://nobody.invalid/decisions', '--site', 'gazette', '--secret-stdin'], SECRET)

const PAGES = {
  queue: '/queue',
  'queue-filtered': '/queue?kind=comment&text=tram',
  'queue-empty': '/queue?text=nothing-like-it',
  campaign: `/campaigns/gazette/${campaign.campaign.id}`,
  'campaign-card': `/queue/${campaign.id}`,
  'campaign-members': `/campaigns/gazette/${campaign.campaign.id}/members`,
  'campaign-rule': `/campaigns/gazette/${campaign.campaign.id}/rule`,
  campaigns: '/campaigns',
  card: `/queue/${cardOf('answer')}`,
  'card-decided': `/queue/${cardOf('single-1')}`,
  comment: '/comments/gazette/answer',
  article: '/articles/gazette/story-0',
  author: '/authors/gazette/answerer',
  band: '/band?low=3&high=9',
  history: '/history',
  audit: '/audit',
  search: '/search?q=tram',
  morning: '/morning',
  settings: '/settings',
  help: '/help',
  try: '/try',
  'admin-users': '/admin/users',
  'admin-sites': '/admin/sites',
  'admin-keys': '/admin/keys',
  'admin-connections': '/admin/connections',
  'admin-thresholds': '/admin/thresholds',
  'admin-thresholds-tried': '/admin/thresholds?text.alone_p=0.0001',
  'admin-plans': '/admin/plans',
  'admin-rules': '/admin/rules',
  'admin-status': '/admin/status',
  error: '/nothing-here',
}

test('login', async t => {
  const page = await visitor(t, service)
  await page.goto('/login')
  await lookOver(page, 'login')
})

describe('pages', { concurrency: 2 }, () => {
  for (const [name, path] of Object.entries(PAGES)) {
    test(name, async t => {
      const page = await person(t, service, 'anna', path)
      if (name === 'error') page.forgiven.push(/404/)
      if (name === 'queue') await paneShows(page)
      await page.evaluate(() => document.querySelectorAll('main details').forEach(details => (details.open = true)))
      await lookOver(page, name)
    })
  }
})

test('try, with its explanation', async t => {
  const page = await person(t, service, 'anna', '/try')
  await page.getByLabel('The comment').fill(copies(1)[0].text)
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.locator('#outcome').waitFor()
  await lookOver(page, 'try-explained')
})

test('the question before a selection, with and without a script', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  await page.keyboard.press('x')
  await page.keyboard.press('d')
  await page.getByRole('dialog').waitFor()
  await lookOver(page, 'bulk-dialog')
  const plain = await person(t, service, 'anna', '/queue?kind=comment', { javaScriptEnabled: false })
  await plain.locator('.card > input').first().check()
  await plain.getByRole('button', { name: 'Reject selected…' }).click()
  await plain.getByRole('heading', { name: /Reject 1 card/ }).waitFor()
  await picture(plain, 'bulk-page')
})

test('dialogs and toasts', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await lookOver(page, 'help-dialog')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('option').first().waitFor()
  await lookOver(page, 'palette')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('s')
  await page.locator('.toast').waitFor()
  assert.deepEqual(await axe(page), [])
  await page.keyboard.press('u')
})

test('one card at a time, on a phone', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment', { viewport: { width: 360, height: 740 }, hasTouch: true })
  await page.locator('.card.current').waitFor()
  const comment = await page.locator('.card').nth(1).getAttribute('data-comment')
  await page.locator('.card .open').nth(1).click()
  await page.waitForURL('**/queue/*')
  assert.deepEqual(await tooWide(page), [])
  await page.getByRole('button', { name: 'Approve' }).click()
  await toast(page, 'Approved · 1 comment')
  assert.equal((await service.comment(comment)).decided_by, 'user:anna')
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await toast(page, 'Undone: everything is as it was')
  await page.getByRole('link', { name: 'Back to the queue' }).click()
  await page.locator('.card.current').waitFor()
  await page.getByRole('button', { name: 'One at a time' }).click()
  await page.locator('#pane [data-id]').waitFor()
  assert.deepEqual(await tooWide(page), [])
  await picture(page, 'phone-one-at-a-time')
})

test('who only looks has the pages too', async t => {
  const page = await person(t, service, 'vera', '/queue')
  await paneShows(page)
  await lookOver(page, 'queue-viewer')
})

test('a text from right to left is laid out from right to left', async t => {
  const page = await person(t, service, 'anna', '/comments/gazette/arabic')
  const text = page.getByRole('group', { name: 'The comment' })
  assert.equal(await text.evaluate(one => getComputedStyle(one).direction), 'rtl')
  const side = await text.evaluate(one => {
    const range = document.createRange()
    range.selectNodeContents(one)
    const box = one.getBoundingClientRect()
    const last = [...range.getClientRects()].at(-1)
    return box.right - last.right < last.left - box.left ? 'right' : 'left'
  })
  assert.equal(side, 'right')
  assert.equal(await page.locator('html').evaluate(one => getComputedStyle(one).direction), 'ltr', 'the page around it stays')
  await picture(page, 'right-to-left')
})

test("times are in the reader's zone", async t => {
  for (const [timezoneId, shown] of [['America/New_York', /3 Feb 2026, 18:30/], ['Asia/Tokyo', /4 Feb 2026, 08:30/]]) {
    const page = await person(t, service, 'anna', '/comments/gazette/answer', { timezoneId })
    const time = page.locator('main time[datetime^="2026-02-03T23:30"]').first()
    await eventually(`it is ${shown}`, async () => shown.test(await time.textContent()))
  }
  const plain = await person(t, service, 'anna', '/comments/gazette/answer', { timezoneId: 'Asia/Tokyo', javaScriptEnabled: false })
  assert.match(await plain.locator('main time[datetime^="2026-02-03T23:30"]').first().textContent(), /3 Feb 2026.*23:30.*UTC/, 'without a script the zone is said')
})
