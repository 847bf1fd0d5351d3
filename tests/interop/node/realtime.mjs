// The vendor's bitmex-realtime-api: finds its topics over REST, signs in by the address, keeps tables by symbol.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import BitMEXClient from 'bitmex-realtime-api'
import { check, eventually, run } from './checks.mjs'

const REFUSED = 1011 // what the client ends with after a hand-shake that was answered 401

const close = (client) => client.socket.instance.close(1000)

class Subject {
  constructor(account) {
    this.account = account
    this.errors = []
    this.ends = []
    this.client = this.connect({ apiKeyID: account.key, apiKeySecret: account.secret })
  }

  connect(keys = {}) {
    const { http, ws } = this.account
    const client = new BitMEXClient({ endpoint: ws, httpEndpoint: `${http}/api/v1`, ...keys })
    client.on('error', (error) => this.errors.push(error))
    client.on('end', (code) => this.ends.push(code))
    return client
  }

  /** The latest rows of a topic; filled by the client as frames come. */
  stream(symbol, table, client = this.client) {
    const seen = { rows: undefined, frames: 0 }
    client.addStream(symbol, table, (rows) => Object.assign(seen, { rows, frames: seen.frames + 1 }))
    return seen
  }

  async send(verb, path, fields) {
    const [body, expires] = [JSON.stringify(fields), Math.round(Date.now() / 1_000) + 5]
    const signature = createHmac('sha256', this.account.secret).update(`${verb}/api/v1${path}${expires}${body}`)
    const headers = { 'content-type': 'application/json', 'api-key': this.account.key, 'api-expires': `${expires}` }
    headers['api-signature'] = signature.digest('hex')
    const answer = await fetch(`${this.account.http}/api/v1${path}`, { method: verb, headers, body })
    assert.equal(answer.status, 200, await answer.clone().text())
    return answer.json()
  }

  order(fields) {
    return this.send('POST', '/order', { symbol: 'XBTUSD', orderQty: 100, ...fields })
  }
}

check('finds the topics', async (s) => {
  await eventually(() => s.client.streams)
  for (const topic of ['instrument', 'trade', 'quote', 'orderBookL2', 'orderBookL2_25', 'orderBook10', 'funding'])
    assert.ok(s.client.streams.public.includes(topic), topic)
  for (const topic of ['order', 'execution', 'position', 'margin', 'wallet', 'transact'])
    assert.ok(s.client.streams.private.includes(topic), topic)
})

check('instrument and quote: move on', async (s) => {
  const [instrument, quote] = [s.stream('XBTUSD', 'instrument'), s.stream('XBTUSD', 'quote')]
  await eventually(() => instrument.frames > 2 && quote.frames > 2)
  assert.equal(instrument.rows.length, 1)
  assert.ok(instrument.rows[0].markPrice > 0)
  assert.ok(quote.rows.at(-1).bidPrice < quote.rows.at(-1).askPrice)
})

check('instruments of every symbol', async (s) => {
  s.stream('*', 'instrument')
  await eventually(() => Object.keys(s.client.getTable('instrument')).length > 3)
  assert.ok(Object.keys(s.client.getTable('instrument')).includes('XBTUSD'))
})

check('book: never crossed while it moves', async (s) => {
  const book = s.stream('XBTUSD', 'orderBookL2_25')
  for (let frames = 1; frames < 20; frames++) {
    await eventually(() => book.frames >= frames)
    const side = (name) => book.rows.filter((row) => row.side === name).map((row) => row.price)
    assert.ok(Math.max(...side('Buy')) < Math.min(...side('Sell')))
  }
})

check('ten levels, whole each time', async (s) => {
  const book = s.stream('XBTUSD', 'orderBook10')
  await eventually(() => book.frames > 2)
  assert.deepEqual([book.rows.length, book.rows[0].bids.length, book.rows[0].asks.length], [1, 10, 10])
})

check('trades: those of REST appear', async (s) => {
  const trades = s.stream('XBTUSD', 'trade')
  await eventually(() => trades.frames > 0)
  await s.order({ orderQty: 700 })
  await eventually(() => trades.rows.reduce((sum, row) => sum + (row.size <= 700 ? row.size : 0), 0) >= 700)
})

check('order: placed, amended, cancelled by REST', async (s) => {
  const orders = s.stream('XBTUSD', 'order')
  await eventually(() => orders.frames > 0)
  const { orderID } = await s.order({ price: 40_000, clOrdID: 'mine' })
  const row = () => orders.rows.find((one) => one.orderID === orderID)
  await eventually(() => row()?.workingIndicator)
  assert.deepEqual([row().clOrdID, row().ordStatus, row().leavesQty], ['mine', 'New', 100])
  await s.send('PUT', '/order', { orderID, orderQty: 300 })
  await eventually(() => row().leavesQty === 300)
  await s.send('DELETE', '/order', { orderID })
  await eventually(() => !row() || row().ordStatus === 'Canceled')
})

check('execution, position, margin, wallet: a fill', async (s) => {
  const [fills, positions] = [s.stream('XBTUSD', 'execution'), s.stream('XBTUSD', 'position')]
  const [margin, wallet] = [s.stream('*', 'margin'), s.stream('*', 'wallet')]
  await eventually(() => [fills, positions, margin, wallet].every((one) => one.frames > 0))
  const before = margin.rows.find((row) => row.currency === 'XBt').availableMargin
  const { orderID } = await s.order({ orderQty: 700 })
  await eventually(() => fills.rows.some((row) => row.orderID === orderID && row.execType === 'Trade'))
  await eventually(() => positions.rows.at(-1)?.currentQty === 700)
  await eventually(() => margin.rows.find((row) => row.currency === 'XBt').availableMargin < before)
})

check('without a key: public topics work', async (s) => {
  const client = s.connect()
  const quote = s.stream('XBTUSD', 'quote', client)
  await eventually(() => quote.frames > 1)
  close(client)
})

check('error: bad signature', async (s) => {
  const client = s.connect({ apiKeyID: s.account.key, apiKeySecret: 'no' })
  await eventually(() => s.ends.includes(REFUSED))
  assert.ok(!client.socket.opened)
})

await run(
  (account) => new Subject(account),
  (subject) => close(subject.client),
)
