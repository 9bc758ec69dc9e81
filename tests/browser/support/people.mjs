// People in browsers. Whatever a page complains of is noted: an error, a dialog nobody asked for, a breach of the content security policy.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after } from 'node:test'
import { PASSWORD } from './service.mjs'
import { PATIENCE } from './wait.mjs'

export const require = createRequire(join(process.env.BROWSER_DIR, 'package.json'))
const { chromium } = require('playwright-core')

// One browser a file; a person is a context in it.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--disable-dev-shm-usage'] })
after(() => browser.close())

function watch(page) {
  page.faults = []
  page.forgiven = []
  const note = text => page.faults.push(text)
  page.on('console', message => {
    if (message.type() === 'error' || /content security policy/i.test(message.text())) note(`console: ${message.text()}`)
  })
  page.on('pageerror', error => note(`page error: ${error.message}`))
  page.on('dialog', dialog => {
    note(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
}

/** Nothing was complained of but what the test called for with `page.forgiven.push(/…/)`. */
export function assertCalm(page) {
  const faults = page.faults.filter(fault => !page.forgiven.some(pattern => pattern.test(fault)))
  assert.deepEqual(faults, [], `the page complained: ${faults.join('\n')}`)
}

/** A browser that nobody is logged in with. It is closed after the test, which fails if a page complained. */
export async function visitor(t, service, options = {}) {
  const context = await browser.newContext({
    baseURL: service.url,
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1360, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  })
  context.setDefaultTimeout(PATIENCE)
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', event => console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`))
  })
  const page = await context.newPage()
  watch(page)
  t.after(async () => {
    await context.close()
    assertCalm(page)
  })
  return page
}

export async function fillLogin(page, name, password = PASSWORD) {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** A person who is logged in and stands at `path`. The first time the form is filled in; later browsers are given the session's cookie. */
export async function person(t, service, name, path = '/queue', options = {}) {
  const page = await visitor(t, service, options)
  const known = service.sessions.get(name)
  if (known) {
    await page.context().addCookies(known)
    await page.goto(path)
  } else {
    await page.goto(`/login?next=${encodeURIComponent(path)}`)
    await fillLogin(page, name)
  }
  await page.waitForURL(url => url.pathname + url.search === path)
  service.sessions.set(name, await page.context().cookies())
  return page
}

/** The id of the card that the pane shows; null when it is empty. */
export const shown = page => page.evaluate(() => document.querySelector('#pane [data-id]')?.dataset.id ?? null)

/** Waits until a card (any, when none is named) is the current one of the list and stands in the pane; the desk's script is at work then. */
export async function paneShows(page, id) {
  await page.locator(id ? `.card.current[data-id="${id}"]` : '.card.current').waitFor()
  const pane = page.locator(id ? `#pane [data-id="${id}"]` : '#pane [data-id]').first()
  await pane.waitFor()
  return pane
}

/** The row of a comment's card. */
export const row = (page, comment) => page.locator(`.card[data-comment="${comment}"]`)

/** Waits for a message at the foot of the page. */
export const toast = (page, text) => page.locator('.toast', { hasText: text }).first().waitFor()
