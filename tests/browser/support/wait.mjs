// Waiting for a condition. Nothing here sleeps for a time that somebody guessed: a condition is asked again until it holds.

import { setTimeout as pause } from 'node:timers/promises'

/** How long anything may take, in milliseconds: long, for a machine under load. */
export const PATIENCE = 15_000

/** Asks again until `check` neither throws nor gives false; what it gave. The last refusal is what is told when time is up. */
export async function eventually(what, check, patience = PATIENCE) {
  const end = Date.now() + patience
  for (;;) {
    let refusal = 'it did not come about'
    try {
      const got = await check()
      if (got !== false) return got
    } catch (error) {
      refusal = error.message
    }
    if (Date.now() > end) throw new Error(`${what}: ${refusal}`)
    await pause(50)
  }
}
