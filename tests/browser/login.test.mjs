// Getting in and out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillLogin, serve, visitor } from './support.mjs'

const service = await serve()

test('a wrong password is said, the right one leads to the queue', async t => {
  const page = await visitor(t, service)
  page.forgiven.push(/401/)
  await page.goto('/')
  assert.equal(new URL(page.url()).pathname, '/login')
  await fillLogin(page, 'anna', 'not the pass phrase')
  const said = page.getByRole('alert')
  await said.waitFor()
  assert.match(await said.textContent(), /name or password is wrong/)
  assert.equal(await page.getByLabel('Name').inputValue(), 'anna', 'the name need not be typed again')
  assert.equal(await page.getByLabel('Password').inputValue(), '')
  await fillLogin(page, 'anna')
  await page.waitForURL('**/queue')
  await page.getByText('Nothing waits here.').waitFor()
})

test('a link that was asked for is reached after the login', async t => {
  const page = await visitor(t, service)
  await page.goto('/queue?kind=campaign&text=tram')
  assert.equal(new URL(page.url()).pathname, '/login')
  await fillLogin(page, 'anna')
  await page.waitForURL('**/queue?kind=campaign&text=tram')
})

for (const next of ['https://elsewhere.example/', '//elsewhere.example/', '/\\elsewhere.example', 'javascript:alert(1)']) {
  test(`the login leads nowhere else: ${next}`, async t => {
    const page = await visitor(t, service)
    await page.goto(`/login?next=${encodeURIComponent(next)}`)
    await fillLogin(page, 'anna')
    await page.waitForURL(url => url.pathname !== '/login')
    assert.equal(new URL(page.url()).origin, service.url)
    assert.equal(await page.getByRole('button', { name: 'Log out' }).count(), 1)
  })
}

test('who has logged out is out', async t => {
  const page = await visitor(t, service)
  await page.goto('/login')
  await fillLogin(page, 'anna')
  await page.waitForURL('**/queue')
  const [cookie] = await page.context().cookies()
  assert.deepEqual([cookie.httpOnly, cookie.sameSite === 'None'], [true, false])
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByText('You are logged out.').waitFor()
  await page.goto('/queue')
  assert.equal(new URL(page.url()).pathname, '/login')
  // The old cookie opens nothing either.
  await page.context().addCookies([cookie])
  await page.goto('/queue')
  assert.equal(new URL(page.url()).pathname, '/login')
})
