// What stands around the queue: authors, articles, history, the audit log, the search, the morning.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PASSWORD, PRAISE, copies, fillLogin, paneShows, person, serve, singles, toast, visitor } from './support.mjs'

const service = await serve({ users: ['anna', 'ben'] })
await service.api('PUT', '/v1/articles/tram', {
  site: 'gazette', title: 'A tram to the harbour', section: 'Transport', url: 'https://news.example/tram', body: 'The tram will run every ten minutes.', published_at: '2026-03-01T08:00:00Z',
})
const prolific = { id: 'prolific', name: 'Prolific Writer' }
await service.send(
  ...singles(8),
  ...copies(6),
  ...singles(4, 'prolific', { author: prolific, article_id: 'tram' }),
  { id: 'question', article_id: 'tram', thread_id: 'tram', author: { id: 'asker', name: 'Asker' }, text: 'Will the tram stop at the old fish market as well? My mother cannot walk far.' },
  { id: 'answer', article_id: 'tram', thread_id: 'tram', parent_id: 'question', author: { id: 'praiser', name: 'Praiser' }, text: PRAISE },
)

test('a card tells why, what it answers, and who wrote it', async t => {
  const { id } = (await service.queue()).find(card => card.comment?.id === 'answer')
  const page = await person(t, service, 'anna', `/queue/${id}`)
  await page.getByRole('heading', { name: 'A tram to the harbour', exact: true }).waitFor()
  assert.ok((await page.locator('#pane mark').count()) > 0, 'the evidence is marked')
  await page.getByText(/Flagged because/).waitFor()
  await page.locator('#pane').getByText('Will the tram stop at the old fish market').first().waitFor()
  const mark = page.locator('#pane mark[data-f]').first()
  const finding = page.locator(`#pane li[data-f="${await mark.getAttribute('data-f')}"]`)
  await mark.hover()
  assert.match(await finding.getAttribute('class'), /lit/, 'mark and finding light up together')
  // The bars add up to the sum.
  const points = await page.locator('#pane table.bars tr:not(.said-by) td.num').allTextContents()
  const numbers = points.map(text => Number(text.replace('−', '-')))
  const sum = numbers.pop()
  assert.ok(Math.abs(numbers.reduce((a, b) => a + b, 0) - sum) < 0.06 * numbers.length, `${numbers} make ${sum}`)
})

test("an author's page has the comments, the numbers, a note, and trust", async t => {
  const page = await person(t, service, 'anna', '/comments/gazette/prolific-0')
  await page.getByRole('link', { name: 'Prolific Writer' }).first().click()
  await page.waitForURL('**/authors/gazette/prolific')
  await page.getByText(/4 comments, 4 proposed for review, 0 approved and 0 rejected by people/).waitFor()
  assert.equal(await page.locator('main ol .beside').count(), 4)
  await page.getByLabel('A note for the desk').fill('writes for the tram company')
  await page.getByRole('button', { name: 'Keep the note' }).click()
  await page.getByText('The note is kept.').waitFor()
  await page.getByText('writes for the tram company').waitFor()
  await page.getByLabel('Why').fill('known in person')
  await page.getByRole('button', { name: 'Trust this author' }).click()
  await page.getByText('The author is trusted.').waitFor()
  const [trusted] = await service.send(...singles(1, 'trusted', { author: prolific }))
  assert.equal(trusted.queued, false, 'what a trusted author writes is not proposed')
  await page.getByRole('button', { name: 'Trust no more' }).click()
  await page.getByText('The author is trusted no more.').waitFor()
  const [again] = await service.send(...singles(1, 'untrusted', { author: prolific }))
  assert.equal(again.queued, true)
})

test("an article's page has its thread, and how rare its comments are", async t => {
  const page = await person(t, service, 'anna', '/comments/gazette/question')
  await page.getByRole('link', { name: 'whole thread' }).click()
  await page.waitForURL('**/articles/gazette/tram')
  await page.getByRole('heading', { name: 'A tram to the harbour' }).waitFor()
  assert.equal(await page.locator('main ol .beside').count(), 6)
  await page.getByRole('img', { name: /how rare/ }).first().waitFor()
  await page.getByText('The numbers').click()
  const numbers = await page.locator('main table td.num').allTextContents()
  assert.equal(numbers.map(Number).reduce((a, b) => a + b, 0), 6, 'the table has what the chart shows')
  assert.equal(await page.getByRole('link', { name: 'read the article' }).getAttribute('href'), 'https://news.example/tram')
})

test('history: what was decided, and its undo', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=campaign')
  await paneShows(page)
  await page.keyboard.press('f')
  await toast(page, 'Approved · 6 comments')
  await page.goto('/history')
  const line = page.locator('li.line').first()
  await line.getByText('anna approved 6').waitFor()
  await line.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone: everything is as it was.').waitFor()
  await line.getByText('undone', { exact: false }).waitFor()
  assert.equal(await line.getByRole('button', { name: 'Undo' }).count(), 0)
  assert.equal((await service.comment('copy-0')).decided_by, undefined)
})

test('a decision about which somebody else decided again is not undone', async t => {
  const decide = action => service.api('POST', '/v1/decisions', { comment: { site: 'gazette', id: 'single-0' }, action })
  await decide('reject')
  await decide('approve')
  const page = await person(t, service, 'anna', '/history')
  page.forgiven.push(/4\d\d/)
  const line = page.locator('li.line').nth(1)
  await line.getByText(/rejected 1/).waitFor()
  if ((await line.getByRole('button', { name: 'Undo' }).count()) === 0) return
  await line.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('link', { name: 'To the queue' }).waitFor()
  assert.equal((await service.comment('single-0')).status, 'published')
})

test('the audit log tells who did what, and only leads read it', async t => {
  const page = await person(t, service, 'anna', '/audit')
  await page.getByRole('cell', { name: /anna/ }).first().waitFor()
  assert.ok((await page.getByRole('row').count()) > 5)
  const ben = await person(t, service, 'ben', '/queue')
  ben.forgiven.push(/403/)
  assert.equal(await ben.getByRole('link', { name: 'Audit' }).count(), 0)
  await ben.goto('/audit')
  assert.equal(await ben.getByRole('row').count(), 0)
})

test('the search finds words, ids and addresses', async t => {
  const page = await person(t, service, 'anna', '/morning')
  const search = async words => {
    await page.locator('#search').fill(words)
    await page.keyboard.press('Enter')
    await page.waitForURL(url => url.pathname === '/search' && url.searchParams.get('q') === words)
  }
  await search('fish market')
  await page.getByText('1 comment found.').waitFor()
  await page.locator('main .beside').getByText('Will the tram stop').waitFor()
  await search('answer')
  await page.getByRole('link', { name: /Comment: / }).first().click()
  await page.waitForURL('**/comments/gazette/answer')
  await search('https://news.example/tram')
  await page.getByRole('link', { name: /Article: / }).click()
  await page.waitForURL('**/articles/gazette/tram')
  await search('prolific')
  await page.getByRole('link', { name: /Author: / }).first().waitFor()
  await search('no such words anywhere')
  await page.getByText('0 comments found.').waitFor()
})

test('the morning has charts with their numbers, and the numbers as CSV', async t => {
  const page = await person(t, service, 'anna', '/morning')
  assert.equal(await page.locator('main svg[role="img"]').evaluateAll(all => all.every(one => one.getAttribute('aria-label') || one.querySelector('title'))), true)
  assert.ok((await page.locator('main svg[role="img"]').count()) >= 3)
  const tile = name => page.locator('.tiles div', { hasText: name }).locator('dd')
  const open = (await service.queue()).length
  assert.equal(await tile('Open cards').textContent(), String(open))
  const details = page.locator('details', { hasText: 'The numbers' }).first()
  await details.locator('summary').click()
  assert.equal((await details.locator('td.num').allTextContents()).map(Number).reduce((a, b) => a + b, 0), open)
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Numbers as CSV' }).click()
  const csv = readFileSync(await (await download).path(), 'utf8')
  assert.match(csv, new RegExp(`^open cards,all,${open},`, 'm'))
  await page.getByLabel('Days').fill('3')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.waitForURL(/days=3/)
})

test('what one may not see is not shown', async t => {
  service.cli(['users', 'add', 'dora', '--role', 'moderator', '--site', 'courier', '--password-stdin'], PASSWORD)
  await service.send(...singles(2, 'valley', { site: 'courier' }))
  const page = await visitor(t, service)
  page.forgiven.push(/40\d/)
  await page.goto('/login')
  await fillLogin(page, 'dora')
  await paneShows(page)
  assert.equal(await page.locator('.card').count(), 2)
  for (const path of ['/comments/gazette/single-1', '/articles/gazette/tram', '/authors/gazette/prolific', `/queue/${(await service.queue('site=gazette'))[0].id}`, '/queue?site=gazette', '/admin/users']) {
    const answer = await page.goto(path)
    assert.ok([403, 404].includes(answer.status()), `${path}: ${answer.status()}`)
  }
  await page.goto('/search?q=tram')
  await page.getByText('0 comments found.').waitFor()
  await page.goto('/history')
  assert.equal(await page.locator('li.line').count(), 0)
})
