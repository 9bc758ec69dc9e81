// What every page keeps to: it is accessible in both colour schemes, nothing sticks out at the width of a phone.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { require } from './people.mjs'

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const OUT = fileURLToPath(new URL('../../out/browser', import.meta.url))
const PHONE = { width: 360, height: 740 }

/** What axe finds: a line for each rule that is broken, with where. Of all rules, or of those named. */
export async function axe(page, rules) {
  await page.evaluate(AXE)
  return page.evaluate(async runOnly => {
    const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] })
    return violations.map(one => {
      const nodes = one.nodes.slice(0, 4).map(node => `${node.target.join(' ')} (${node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? ''})`)
      return `${one.id}: ${nodes.join('; ')}${one.nodes.length > 4 ? ` and ${one.nodes.length - 4} more` : ''}`
    })
  }, rules ? { type: 'rule', values: rules } : { type: 'tag', values: TAGS })
}

/** Elements that make the page wider than the window. */
export function tooWide(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= wide) return []
    const scrolls = element => element && element !== document.body && (getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement))
    const out = [...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > wide + 1 && !scrolls(one.parentElement))
    const name = one => `${one.tagName.toLowerCase()}${one.id ? `#${one.id}` : ''}${one.className && one.className.baseVal === undefined ? `.${one.className}` : ''}`
    return [`${document.documentElement.scrollWidth} px wide`, ...out.slice(0, 5).map(name)]
  })
}

/** A picture of the whole page in tests/out/browser. */
export async function picture(page, name) {
  mkdirSync(OUT, { recursive: true })
  await page.screenshot({ path: join(OUT, `${name}.png`), fullPage: true, animations: 'disabled' })
}

/** Looks a page over: light, dark, and on a phone. All that is wrong is told at once. */
export async function lookOver(page, name) {
  const wrong = []
  const before = page.viewportSize()
  const note = (where, lines) => wrong.push(...lines.map(line => `${name} (${where}): ${line}`))
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme })
    // Between the two only colours change.
    note(scheme, await axe(page, scheme === 'dark' ? ['color-contrast'] : undefined))
    note(scheme, await tooWide(page))
    await picture(page, `${name}-${scheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(PHONE)
  note('phone', await axe(page))
  note('phone', await tooWide(page))
  await picture(page, `${name}-phone`)
  await page.setViewportSize(before)
  assert.deepEqual(wrong, [], `\n${wrong.join('\n')}\n`)
}
