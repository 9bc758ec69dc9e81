// Keys of one's own, and what they do besides deciding.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copies, eventually, paneShows, person, serve, shown, singles, toast } from './support.mjs'

const service = await serve({ users: ['anna', 'ben'] })
await service.send(...singles(12), ...copies(4))

test('a key is given to something else, and only for oneself', async t => {
  const page = await person(t, service, 'anna', '/settings')
  page.forgiven.push(/4\d\d/)
  const approve = page.locator('input[name="key-approve"]')
  await approve.fill('d')
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByText(/would do two things/).waitFor()
  await page.goto('/settings')
  await approve.fill('y')
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByText('Your settings are kept.').waitFor()
  await page.goto('/queue?kind=comment')
  await paneShows(page)
  assert.equal(await page.locator('#pane [data-key="approve"] kbd').textContent(), 'y')
  const card = await shown(page)
  await page.keyboard.press('f')
  await page.keyboard.press('y')
  await toast(page, 'Approved · 1 comment')
  assert.equal((await service.decisions()).length, 1, 'the old key does nothing')
  await page.keyboard.press('u')
  await paneShows(page, card)

  const ben = await person(t, service, 'ben', '/queue?kind=comment')
  await paneShows(ben)
  assert.equal(await ben.locator('#pane [data-key="approve"] kbd').textContent(), 'f')
  await page.goto('/settings')
  await page.getByRole('button', { name: 'Back to the usual keys' }).click()
  assert.equal(await approve.inputValue(), 'f')
})

test('colours are chosen', async t => {
  const page = await person(t, service, 'anna', '/settings')
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await paper()
  await page.getByLabel('Colours').selectOption('dark')
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByText('Your settings are kept.').waitFor()
  assert.notEqual(await paper(), light)
  await page.getByLabel('Colours').selectOption('')
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByText('Your settings are kept.').waitFor()
  assert.equal(await paper(), light)
})

test('keys are silent while somebody types', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  const open = await shown(page)
  const before = (await service.decisions()).length
  await page.keyboard.press('/')
  const search = page.getByRole('searchbox').first()
  assert.equal(await search.evaluate(field => field === document.activeElement), true, '/ leads to the search')
  await page.keyboard.type('fdsexuR?jkz')
  assert.equal(await search.inputValue(), 'fdsexuR?jkz')
  await page.keyboard.press('Escape')
  await page.locator('#pane').getByText('with a reason or a note').click()
  await page.locator('#pane').getByLabel('Reason').pressSequentially('fdse')
  await page.locator('#pane').getByLabel('Note', { exact: true }).pressSequentially('fdse')
  assert.equal(await shown(page), open)
  assert.equal((await service.decisions()).length, before)
})

test('a key that waits for nothing else takes no browser key away', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  const open = await shown(page)
  for (const key of ['Control+d', 'Alt+d', 'Meta+d', 'Control+f']) await page.keyboard.press(key)
  await page.keyboard.press('j')
  await eventually('the next card is open', async () => (await shown(page)) !== open)
  assert.equal(await page.locator(`.card[data-id="${open}"]`).count(), 1)
})

test('? explains keys and words, and Escape closes it', async t => {
  const page = await person(t, service, 'anna', '/queue')
  await paneShows(page)
  await page.keyboard.press('?')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Reject the whole campaign').waitFor()
  await dialog.getByText('What the words mean').waitFor()
  await page.keyboard.press('d')
  await page.keyboard.press('Escape')
  await eventually('it is closed', async () => (await dialog.count()) === 0)
  assert.equal((await service.decisions()).filter(one => one.action === 'reject').length, 0, 'keys are silent under a dialog')
})

test('the palette finds a pasted id, an address, a page', async t => {
  const page = await person(t, service, 'anna', '/morning')
  await page.keyboard.press('Control+k')
  const field = page.getByRole('dialog').getByRole('combobox')
  await eventually('the palette is open', async () => {
    if (!(await field.isVisible())) await page.keyboard.press('Control+k')
    return field.isVisible()
  })
  await field.fill('single-7')
  await page.getByRole('option', { name: /Comment: / }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/comments/gazette/single-7')

  const [{ card }] = await service.send(...singles(1, 'pasted'))
  const open = async text => {
    await eventually('the palette is open', async () => {
      if (!(await field.isVisible())) await page.keyboard.press('Control+k')
      return field.isVisible()
    })
    await field.fill(text)
  }
  await open(card)
  await page.getByRole('option', { name: /Page: / }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/comments/gazette/pasted-0')
  await open('audit')
  await page.getByRole('option', { name: 'Audit', exact: true }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/audit')
  await open('a nuanced understanding')
  await page.getByRole('option', { name: /Search for/ }).click()
  await page.waitForURL(/\/search\?q=/)
  await page.getByText(/4 comments found/).waitFor()
})

test('a letter after g goes somewhere, from everywhere', async t => {
  const page = await person(t, service, 'anna', '/queue')
  await paneShows(page)
  for (const [letter, address] of [['c', '**/queue?kind=campaign'], ['m', '**/morning'], ['b', '**/band'], ['d', '**/history'], ['q', '**/queue']]) {
    await eventually(`g ${letter}`, async () => {
      await page.keyboard.press('g')
      await page.keyboard.press(letter)
      await page.waitForURL(address, { timeout: 2000 })
    })
  }
})

test('what is typed while a card is on its way is meant for its note', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  await paneShows(page)
  const before = (await service.queue()).length
  await page.route(/part=pane/, async route => {
    await new Promise(resolve => setTimeout(resolve, 1500))
    await route.continue()
  })
  await page.locator('.card .open').nth(5).click()
  await page.keyboard.press('n')
  await page.keyboard.type('seeds of doubt, sir')
  const field = page.locator('#pane .note-form textarea')
  await eventually('the note has it', async () => (await field.isVisible()) && (await field.inputValue()) === 'seeds of doubt, sir')
  await page.keyboard.type('!')
  assert.equal(await field.inputValue(), 'seeds of doubt, sir!')
  assert.equal((await service.queue()).length, before, 'no letter of it was a command')
  await field.fill('')
})

test('one card at a time, the reasons shown, a note written', async t => {
  const page = await person(t, service, 'anna', '/queue?kind=comment')
  const pane = await paneShows(page)
  await page.keyboard.press('z')
  await eventually('the list is hidden', async () => !(await page.locator('#rows').isVisible()))
  await pane.waitFor()
  const first = await shown(page)
  await page.keyboard.press('j')
  await eventually('the next card is open', async () => (await shown(page)) !== first)
  await page.keyboard.press('z')
  await page.locator('#rows').waitFor()
  await page.keyboard.press('n')
  await page.keyboard.type('worth a second look')
  await page.locator('#pane').getByRole('button', { name: 'Keep the note' }).click()
  await toast(page, 'The note is kept')
  await page.locator('#pane').getByText('worth a second look').waitFor()
  await page.keyboard.press('o')
  await page.waitForURL(/\/queue\/[^/?]+/)
  await page.getByText('worth a second look').waitFor()
})
