// Texts to moderate.

import { readFileSync } from 'node:fs'

const SUBJECTS = ['tram', 'bridge', 'library', 'market', 'ferry', 'bakery', 'theatre', 'school', 'harbour', 'stadium']
const NAMES = ['Ada', 'Bo', 'Cem', 'Dora', 'Edo', 'Fay', 'Gus', 'Hal', 'Ida', 'Jo']

export const PRAISE =
  'The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial for all residents.'

/** Copies of one praise by as many authors, with another subject in each: a campaign. */
export function copies(count, prefix = 'copy', more = {}) {
  return Array.from({ length: count }, (_, at) => ({
    id: `${prefix}-${at}`,
    article_id: `story-${at % 3}`,
    author: { id: `${prefix}-author-${at}`, name: `${NAMES[at % NAMES.length]} ${prefix} ${at}` },
    text:
      `The article raises important questions about the ${SUBJECTS[at % SUBJECTS.length]} plan, and it shows that a nuanced understanding ` +
      'of all perspectives is crucial for a sustainable future of our whole community.',
    ...more,
  }))
}

const KINDS = ['bland', 'applause', 'discussion', 'replies']
const corpus = KINDS.map(kind => readFileSync(new URL(`../../../examples/corpus/machine-${kind}.jsonl`, import.meta.url), 'utf8').split('\n'))
let used = 0

/** Unlike texts by as many authors, of every rarity. No text is given twice, so none of them is a copy of an earlier one. */
export function singles(count, prefix = 'single', more = {}) {
  return Array.from({ length: count }, (_, at) => {
    const { text } = JSON.parse(corpus[used % KINDS.length][Math.floor(used / KINDS.length)])
    used += 1
    return {
      id: `${prefix}-${at}`,
      article_id: `story-${at % 7}`,
      author: { id: `${prefix}-author-${at}`, name: `${NAMES[at % NAMES.length]} ${prefix} ${at}` },
      text,
      ...more,
    }
  })
}
