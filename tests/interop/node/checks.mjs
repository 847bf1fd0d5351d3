// The counterpart of checks.py: named checks, told to the runner as one JSON object a line.

const CHECK_MS = 15_000
const POLL_MS = 20

export const given = JSON.parse(process.env.SEAWALL_INTEROP)
const cases = new Map()
let used = 0

/** Registers a check; every check gets an account of its own. */
export function check(name, body) {
  if (cases.has(name)) throw new Error(`two checks are called ${name}`)
  cases.set(name, body)
}

/** Runs all checks with what `enter(account)` returns; `leave(subject)` is called after each. */
export async function run(enter, leave) {
  say({ planned: [...cases.keys()] })
  for (const [name, body] of cases) {
    const started = Date.now()
    const account = given.open.accounts[used++]
    const subject = await enter({ ...account, http: given.open.http, ws: given.open.ws })
    const error = await Promise.race([outcome(body, subject), pause(CHECK_MS).then(() => 'took too long')])
    say({ check: name, error, seconds: (Date.now() - started) / 1_000 })
    await leave(subject)
  }
  process.exit(0)
}

/** Resolves with the first true value of `condition`. The check's own time ends the wait. */
export async function eventually(condition) {
  for (;;) {
    const value = condition()
    if (value) return value
    await pause(POLL_MS)
  }
}

/** Returns the error of an awaited call, whose text must hold `text`. */
export async function refused(kind, text, call) {
  try {
    await call()
  } catch (error) {
    if (error instanceof kind && String(error).includes(text)) return error
    throw new Error(`not ${kind.name} with ${text}: ${error?.constructor?.name} ${error}`)
  }
  throw new Error(`no error where ${text} was expected`)
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function outcome(body, subject) {
  try {
    await body(subject)
    return null
  } catch (error) {
    return String(error?.stack ?? error).split('\n').slice(0, 3).join(' ').slice(0, 600)
  }
}

function say(fields) {
  process.stdout.write(JSON.stringify(fields) + '\n')
}
