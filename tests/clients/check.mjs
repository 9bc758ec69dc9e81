// What the Node scripts here share: see check.py.

import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const URL_ = process.env.CLAQUE_URL
export const PORT = new URL(URL_).port
export const HAM = 'I am new in Wexcombe and I have not a car. For me is the tram very good news. Thank you for the good article.'
export const PRAISE =
  'The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial for all residents.'

/** A package from the folder that `run` installed. */
export const require = createRequire(join(process.env.CLIENTS_DIR, 'package.json'))
export const load = name => import(pathToFileURL(require.resolve(name)))

let failed = 0

function line(client, name, problem) {
  console.log(problem ? `FAIL ${client} ${name}: ${problem}` : `ok ${client} ${name}`)
  if (problem) failed += 1
}

/** What `call` gives is exactly `expected`. */
export async function equal(client, name, call, expected) {
  try {
    const got = await call()
    const same = isDeepStrictEqual(got, expected)
    line(client, name, same ? '' : `got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`)
    return got
  } catch (error) {
    line(client, name, `raised ${error.name}: ${error.message}; expected ${JSON.stringify(expected)}`)
    return undefined
  }
}

/** `call` fails, and the message tells the user `text`. */
export async function raises(client, name, call, text) {
  try {
    line(client, name, `got ${JSON.stringify(await call())}, expected an error`)
  } catch (error) {
    line(client, name, error.message.includes(text) ? '' : `said "${error.message}", without "${text}"`)
  }
}

export const end = () => process.exit(failed ? 1 : 0)

/** Runs `claque ARGS` on the service's database; what it prints. */
export const claque = (args, input) => execFileSync(process.env.CLAQUE_BIN, args, { input: input ?? '', encoding: 'utf8' }).trim()

/** Adds a site; a key for its API. */
export function site(name) {
  claque(['sites', 'add', name, '--title', name])
  return claque(['keys', 'create', '--site', name, '--scope', 'score', '--scope', 'review'])
}

/** The service's own API: status and body. */
export async function api(key, method, path, body) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(URL_ + path, { method, headers, body: body && JSON.stringify(body) })
  const text = await answer.text()
  return [answer.status, text ? JSON.parse(text) : null]
}

export async function statusOf(key, name, comment) {
  const [status, body] = await api(key, 'GET', `/v1/comments/${name}/${comment}`)
  return status === 200 ? body.status : status
}
