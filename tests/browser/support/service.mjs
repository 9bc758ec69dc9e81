// A service on a database of its own, and its API as a content system uses it.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { PATIENCE } from './wait.mjs'

export const PASSWORD = 'a long enough pass phrase'

/** Every text is flagged: the desk is tested here, and not the judgement of texts, which may change. */
const EVERYTHING = { CLAQUE_TEXT__ALONE_P: '1', CLAQUE_TEXT__ALONE_WORDS: '1' }

/** name -> role */
const PEOPLE = { anna: 'admin', ben: 'moderator', cleo: 'moderator', vera: 'viewer' }

class Service {
  #dir = mkdtempSync(join(tmpdir(), 'claque-browser-'))
  #process = null
  #port = 0
  #environment
  /** Cookies of people who are logged in, by name. */
  sessions = new Map()

  constructor(environment) {
    this.#environment = { ...process.env, ...EVERYTHING, ...environment, CLAQUE_DB: join(this.#dir, 'desk.db'), CLAQUE_LOG: 'info' }
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Runs `claque ARGS` on the database; what it prints. */
  cli(args, input = '') {
    return execFileSync(process.env.CLAQUE_BIN, args, { input, encoding: 'utf8', env: this.#environment }).trim()
  }

  addSite(id, title) {
    this.cli(['sites', 'add', id, '--title', title])
  }

  /** Serves, on the same port as before if there was one. */
  async start() {
    const args = ['serve', '--listen', `127.0.0.1:${this.#port}`]
    const child = spawn(process.env.CLAQUE_BIN, args, { env: this.#environment, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    let log = ''
    await new Promise((resolve, reject) => {
      const end = why => reject(new Error(`the service does not start (${why}):\n${log}`))
      const late = setTimeout(() => end('time is up'), PATIENCE * 2)
      child.once('exit', code => end(`it ended with ${code}`))
      child.stderr.on('data', chunk => {
        if (log.length < 20_000) log += chunk
        const found = this.#port || log.match(/"message":"listening","address":"[^"]*:(\d+)"/)?.[1]
        if (!found || !log.includes('"message":"listening"')) return
        this.#port = Number(found)
        clearTimeout(late)
        resolve()
      })
    })
  }

  async stop() {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    const stubborn = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
    await gone
    clearTimeout(stubborn)
  }

  async end() {
    await this.stop()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** Asks the API; its status and body. */
  async ask(method, path, body) {
    const headers = { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' }
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) })
    const text = await answer.text()
    return { status: answer.status, body: text ? JSON.parse(text) : null }
  }

  /** Asks the API for something that has to work; the body. */
  async api(method, path, body) {
    const answer = await this.ask(method, path, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Sends comments in one batch; all of them have to be taken. */
  async send(...comments) {
    const filled = comments.map(comment => ({ site: 'gazette', ...comment }))
    const answers = await this.api('POST', '/v1/comments:batch', filled)
    for (const answer of answers) assert.ok(!answer.error, JSON.stringify(answer))
    return answers
  }

  comment(id, site = 'gazette') {
    return this.api('GET', `/v1/comments/${site}/${encodeURIComponent(id)}`)
  }

  async statuses(ids) {
    return Promise.all(ids.map(async id => (await this.comment(id)).status))
  }

  async queue(query = 'limit=200') {
    return (await this.api('GET', `/v1/queue?${query}`)).items
  }

  async decisions(limit = 200) {
    return (await this.api('GET', `/v1/decisions?limit=${limit}`)).decisions
  }
}

/** Starts a service with two sites, four people and an API key, and ends it when the file's tests are through. */
export async function serve({ environment = {}, users = ['anna'] } = {}) {
  const service = new Service(environment)
  after(() => service.end())
  service.addSite('gazette', 'Harbour Gazette')
  service.addSite('courier', 'Valley Courier')
  for (const name of users) service.cli(['users', 'add', name, '--role', PEOPLE[name], '--password-stdin'], PASSWORD)
  service.key = service.cli(['keys', 'create', '--site', 'gazette', '--site', 'courier', '--scope', 'score', '--scope', 'review', '--title', 'tests'])
  await service.start()
  return service
}
