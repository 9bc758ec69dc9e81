// What strangers write, in every field that anybody can fill: nothing of it is executed, all of it is shown as it was written.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, paneShows, person, serve, singles, toast, tooWide } from './support.mjs'

const mark = at => `window.burnt=${at}`
const PAYLOADS = [
  `<script>${mark(1)}</script>`,
  `"><img src=x onerror="${mark(2)}">`,
  `'><svg onload='${mark(3)}'></svg>`,
  `</textarea></title><script>${mark(4)}</script>`,
  `<a href="javascript:${mark(5)}">click</a>`,
  `{{7*7}} {% include "layout.html" %} \${${mark(6)}} #{7*7} <%= 7*7 %>`,
  `--></script><iframe srcdoc="<script>parent.${mark(7)}</script>">`,
  `" autofocus onfocus="${mark(8)}" x="`,
]
const RTL = '\u202Eesrever si siht\u202C and back'
const ZALGO = `Z${'\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030A\u030B'.repeat(12)}algo`
const EMOJI = '👩‍👩‍👧‍👦🏳️‍🌈🇺🇦👍🏽'.repeat(20)
const LONG = 'Donaudampfschifffahrtsgesellschaft'.repeat(60)
const ARABIC = 'هذا تعليق مكتوب من اليمين إلى اليسار، وفيه كلمات كثيرة عن الجسر والمدينة.'
const HUGE = `${'A sentence about the harbour, and one more of them. '.repeat(2000)}THE-END`

const service = await serve()
const nasty = PAYLOADS.join(' ')
service.addSite('hostile', PAYLOADS[0])
service.cli(['keys', 'create', '--site', 'gazette', '--scope', 'score', '--title', PAYLOADS[1]])
await service.api('PUT', '/v1/articles/nasty', { site: 'gazette', title: nasty, section: PAYLOADS[1], url: `javascript:${mark(9)}`, body: nasty })
await service.api('PUT', `/v1/articles/${encodeURIComponent(PAYLOADS[2])}`, { site: 'gazette', title: LONG, section: LONG, url: `https://news.example/${LONG}` })
const WRITTEN = [...PAYLOADS, RTL, ZALGO, EMOJI, LONG, ARABIC, HUGE]
const leads = singles(WRITTEN.length)
const TEXTS = WRITTEN.map((text, at) => (text === ARABIC ? text : `${leads[at].text}: ${text}`))
await service.send(
  ...TEXTS.map((text, at) => ({
    id: `nasty-${at}`,
    article_id: at % 2 ? 'nasty' : PAYLOADS[2],
    author: { id: at === 0 ? PAYLOADS[1] : `nasty-author-${at}`, name: WRITTEN[(at + 1) % 13].slice(0, 1500) },
    text,
  })),
  { id: PAYLOADS[0], article_id: 'nasty', author: { id: 'plain', name: 'Plain' }, text: 'A comment whose id is markup.' },
  ...PAYLOADS.slice(0, 4).map((name, at) => ({
    id: `copied-${at}`,
    article_id: 'nasty',
    author: { id: `copier-${at}`, name },
    text: `${nasty} and the harbour needs a nuanced understanding of all perspectives, which is crucial for everybody ${at}`,
  })),
)
const cards = await service.queue()
const cardOf = comment => cards.find(card => card.comment?.id === comment)
const campaign = cards.find(card => card.kind === 'campaign')

/** Nothing ran, and nothing came in as an element. */
async function assertHarmless(page, where) {
  const found = await page.evaluate(() => ({
    burnt: window.burnt ?? null,
    elements: [...document.querySelectorAll('main script, main iframe, main img, main svg[onload], main [onerror], main [onfocus]')].map(one => one.outerHTML),
    links: [...document.querySelectorAll('a[href]')].map(one => one.href).filter(href => !/^https?:/.test(href)),
  }))
  assert.deepEqual(found, { burnt: null, elements: [], links: [] }, where)
}

test('there is a card of everything', () => {
  assert.ok(campaign, 'the copies are a campaign')
  for (let at = 0; at < TEXTS.length; at += 1) {
    if (TEXTS[at] !== ARABIC) assert.ok(cardOf(`nasty-${at}`), TEXTS[at].slice(0, 60))
  }
})

test('a text is shown to the letter', async t => {
  const page = await person(t, service, 'anna', '/help')
  for (let at = 0; at < PAYLOADS.length; at += 1) {
    await page.goto(`/comments/gazette/nasty-${at}`)
    assert.equal((await page.getByRole('group', { name: 'The comment' }).textContent()).trim(), TEXTS[at])
  }
  await page.goto(`/comments/gazette/nasty-${WRITTEN.indexOf(HUGE)}`)
  const shown = await page.getByRole('group', { name: 'The comment' }).textContent()
  assert.match(shown, /: A sentence about the harbour/)
  assert.match(shown, /the rest is on the comment's page of your CMS/, 'what is not shown is said')
  await page.goto(`/comments/gazette/nasty-${WRITTEN.indexOf(RTL)}`)
  await page.getByText('U+202E').waitFor()
})

test('every page with what they wrote is harmless, and nothing sticks out of it', async t => {
  const page = await person(t, service, 'anna')
  const encoded = encodeURIComponent
  const paths = [
    '/queue',
    `/queue?text=${encoded(PAYLOADS[1])}`,
    `/queue?section=${encoded(PAYLOADS[1])}`,
    ...TEXTS.map((_, at) => `/comments/gazette/nasty-${at}`),
    `/comments/gazette/${encoded(PAYLOADS[0])}`,
    ...[0, 3, 8, 11, 13].filter(at => cardOf(`nasty-${at}`)).map(at => `/queue/${cardOf(`nasty-${at}`).id}?back=${encoded(`javascript:${mark(10)}`)}`),
    `/queue/${campaign.id}`,
    `/campaigns/gazette/${campaign.campaign.id}`,
    `/campaigns/gazette/${campaign.campaign.id}/rule`,
    '/campaigns',
    '/band',
    '/articles/gazette/nasty',
    `/articles/gazette/${encoded(PAYLOADS[2])}`,
    `/authors/gazette/${encoded(PAYLOADS[1])}`,
    `/search?q=${encoded(PAYLOADS[1])}`,
    '/search?q=perspectives',
    '/morning',
    '/admin/sites',
    '/admin/keys',
    `/admin/rules?q=${encoded(PAYLOADS[1])}`,
  ]
  const wide = []
  for (const size of [{ width: 1360, height: 900 }, { width: 360, height: 740 }]) {
    await page.setViewportSize(size)
    for (const path of paths) {
      await page.goto(path)
      await assertHarmless(page, path)
      const out = await tooWide(page)
      if (out.length) wide.push(`${path} at ${size.width} px: ${out.join(' ')}`)
    }
  }
  assert.deepEqual(wide, [], `\n${wide.join('\n')}\n`)
})

test('the queue with its script is harmless, card by card', async t => {
  const page = await person(t, service, 'anna')
  await paneShows(page)
  for (let at = 0; at < cards.length; at += 1) {
    await assertHarmless(page, `card ${at}`)
    const { open, last } = await page.evaluate(() => {
      const current = document.querySelector('.card.current')
      return { open: current.dataset.id, last: !current.nextElementSibling }
    })
    if (last) break
    await page.keyboard.press('j')
    await eventually('the next card is open', () => page.evaluate(id => ![null, undefined, id].includes(document.querySelector('#pane [data-id]')?.dataset.id), open))
  }
  await page.keyboard.press('x')
  await page.keyboard.press('k')
  await page.keyboard.press('Shift+X')
  await page.keyboard.press('d')
  await page.getByRole('dialog').waitFor()
  await assertHarmless(page, 'the question before a selection')
})

test('reason, note, and the names of views are harmless, and kept to the letter', async t => {
  const page = await person(t, service, 'anna', `/queue/${cardOf('nasty-1').id}`)
  await page.getByText('with a reason or a note').click()
  await page.getByLabel('Reason').fill(PAYLOADS[1])
  await page.getByLabel('Note', { exact: true }).fill(nasty)
  await page.getByRole('button', { name: 'Reject' }).click()
  await toast(page, 'Rejected · 1 comment')
  const [decision] = await service.decisions(1)
  assert.deepEqual([decision.reason, decision.note], [PAYLOADS[1], nasty])
  for (const path of ['/history', '/audit', '/comments/gazette/nasty-1']) {
    await page.goto(path)
    // The audit log tells it as JSON, where quotes are escaped.
    await page.getByText(path === '/audit' ? '<img src=x' : PAYLOADS[1]).first().waitFor()
    await assertHarmless(page, path)
  }

  await page.goto('/comments/gazette/nasty-2')
  await page.locator('summary', { hasText: 'Decisions and notes' }).click()
  await page.getByLabel('A note for the desk').fill(nasty)
  await page.getByRole('button', { name: 'Keep the note' }).click()
  await page.getByText('The note is kept.').waitFor()
  await page.getByText(nasty).first().waitFor()
  await assertHarmless(page, 'a note')

  await page.goto('/queue?kind=comment')
  await page.getByLabel('Keep this filter as').fill(PAYLOADS[3])
  await page.getByLabel('for everybody').check()
  await page.getByRole('button', { name: 'Keep the view' }).click()
  await page.getByRole('link', { name: PAYLOADS[3], exact: true }).waitFor()
  await assertHarmless(page, 'a view')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('combobox').fill(PAYLOADS[1])
  await page.getByRole('dialog').getByRole('option').first().waitFor()
  await assertHarmless(page, 'the palette')
})

test('a pasted text and an allowed campaign are harmless', async t => {
  const page = await person(t, service, 'anna', '/try')
  await page.getByLabel('The comment').fill(nasty)
  await page.getByText('With an article').click()
  await page.getByLabel('Headline').fill(PAYLOADS[3])
  await page.getByLabel('Its text').fill(PAYLOADS[3])
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.locator('#outcome').waitFor()
  assert.equal(await page.getByLabel('The comment').inputValue(), nasty)
  assert.equal((await page.locator('#outcome .body').textContent()).trim(), nasty)
  await assertHarmless(page, 'a tried text')
  await page.goto(`/campaigns/gazette/${campaign.campaign.id}`)
  await page.getByText('This campaign is legitimate').click()
  await page.getByLabel('What it is').fill(PAYLOADS[1])
  await page.getByRole('button', { name: 'Allow it' }).click()
  await page.getByText('The campaign is allowed.').waitFor()
  await page.goto('/campaigns')
  await page.getByText(PAYLOADS[1]).first().waitFor()
  await assertHarmless(page, 'an allowed campaign')
})
