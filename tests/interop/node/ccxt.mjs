// ccxt for Node: REST and streams of one class. The Python checks go deeper; these show that the other language agrees.

import assert from 'node:assert/strict'
import ccxt from 'ccxt'
import { check, given, refused, run } from './checks.mjs'

const [BTC, TETHER] = ['BTC/USD:BTC', 'BTC/USDT:USDT']

function connect(account, changed = {}) {
  const api = new ccxt.pro.bitmex({ apiKey: account.key, secret: account.secret, enableRateLimit: false, ...changed })
  api.urls.api = { public: account.http, private: account.http, ws: account.ws }
  api.owner = account
  return api
}

const resting = (api, params = {}) => api.createOrder(BTC, 'limit', 'buy', 100, 40_000, params)

check('markets, tickers, book, trades, candles, funding', async (api) => {
  const markets = await api.loadMarkets()
  assert.deepEqual([markets[BTC].inverse, markets[TETHER].linear], [true, true])
  assert.ok((await api.fetchTickers())[BTC].last > 0)
  assert.equal((await api.fetchOrderBook(BTC, 10)).bids.length, 10)
  await api.createOrder(BTC, 'market', 'buy', 100)
  assert.ok((await api.fetchTrades(BTC)).length > 0)
  await api.fetchOHLCV(BTC, '1m')
  assert.ok(Math.abs((await api.fetchFundingRate(BTC)).fundingRate) < 0.0075)
})

check('orders: market, limit, stop, trailing, post only, close', async (api) => {
  assert.equal((await api.createOrder(BTC, 'market', 'buy', 1_000)).status, 'closed')
  assert.equal((await resting(api, { postOnly: true })).status, 'open')
  const stop = { triggerPrice: 40_000, triggerDirection: 'below', execInst: 'MarkPrice,ReduceOnly' }
  assert.equal((await api.createOrder(BTC, 'market', 'sell', 1_000, undefined, stop)).info.ordType, 'Stop')
  const trail = { trailingAmount: 5_000, triggerDirection: 'below' }
  const trailing = await api.createOrder(BTC, 'market', 'sell', 1_000, undefined, trail)
  assert.equal(trailing.info.pegPriceType, 'TrailingStopPeg')
  assert.equal((await api.fetchOpenOrders()).length, 3)
  assert.equal((await api.closePosition(BTC, 'sell')).status, 'closed')
})

check('amend, cancel, cancel by client id, cancel all, dead man\'s switch', async (api) => {
  const order = await resting(api, { clOrdID: 'a' })
  assert.equal((await api.editOrder(order.id, BTC, 'limit', 'buy', 300, 41_000)).info.orderQty, 300)
  assert.equal((await api.cancelOrder(order.id, BTC)).status, 'canceled')
  await resting(api, { clOrdID: 'b' })
  assert.equal((await api.cancelOrder('', BTC, { clOrdID: 'b' })).status, 'canceled')
  await resting(api)
  assert.ok((await api.cancelAllOrdersAfter(600_000_000)).cancelTime)
  await api.cancelAllOrdersAfter(0)
  assert.equal((await api.cancelAllOrders(BTC)).length, 1)
})

check('balance, position, leverage, my trades, ledger', async (api) => {
  assert.equal((await api.fetchBalance()).BTC.total, 1)
  await api.setLeverage(5, BTC)
  const order = await api.createOrder(BTC, 'market', 'buy', 1_000)
  const [position] = await api.fetchPositions([BTC])
  assert.deepEqual([position.contracts, position.leverage, position.marginMode], [1_000, 5, 'isolated'])
  assert.equal((await api.fetchMyTrades(BTC))[0].order, order.id)
  await api.fetchLedger()
})

check('streams: ticker, book, trades', async (api) => {
  assert.ok((await api.watchTicker(BTC)).last > 0)
  const book = await api.watchOrderBook(BTC)
  assert.ok(book.bids[0][0] < book.asks[0][0])
  await api.watchTrades(BTC)
})

check('streams: orders, my trades, positions, balance see what REST did', async (api) => {
  await api.watchBalance()
  const seen = [api.watchOrders(), api.watchMyTrades()]
  let positions = api.watchPositions()
  await api.watchTicker(BTC)
  const order = await api.createOrder(BTC, 'market', 'buy', 500)
  const [orders, trades] = await Promise.all(seen)
  assert.ok(orders.some((one) => one.id === order.id))
  assert.ok(trades.some((one) => one.order === order.id))
  const holds = (found) => found.some((one) => one.symbol === BTC && one.contracts === 500)
  while (!holds(await positions)) positions = api.watchPositions() // the first answer is the empty table
})

check('errors: key, signature, rights, funds, duplicate, unknown order, rate limit', async (api) => {
  const as = (changed) => connect({ ...api.owner, ...changed })
  await refused(ccxt.AuthenticationError, 'Invalid API Key.', () => as({ key: 'nobody' }).fetchBalance())
  await refused(ccxt.AuthenticationError, 'Signature not valid', () => as({ secret: 'no' }).fetchBalance())
  const reader = as(api.owner.other_keys['read-only'])
  await refused(ccxt.PermissionDenied, 'Access Denied', () => reader.createOrder(BTC, 'market', 'buy', 100))
  await refused(ccxt.InsufficientFunds, 'Available', () => api.createOrder(BTC, 'market', 'buy', 9_000_000))
  await resting(api, { clOrdID: 'once' })
  await refused(ccxt.InvalidOrder, 'Duplicate clOrdID', () => resting(api, { clOrdID: 'once' }))
  await refused(ccxt.OrderNotFound, 'not found', () => api.fetchOrder('00000000-0000-0000-0000-000000000000', BTC))
  const limited = as({ http: given.limited.http, ...given.limited.accounts[0] })
  const burst = async () => {
    for (let sent = 0; sent < 60; sent++) {
      await limited.privatePostOrder({ symbol: 'XBTUSD', side: 'Buy', orderQty: 100, price: 30_000 })
    }
  }
  await refused(ccxt.DDoSProtection, 'Rate limit exceeded', burst)
})

await run(
  async (account) => {
    const api = connect(account)
    await api.loadHttpProxyAgent() // ccxt wants this before any ws:// address without TLS
    await api.loadMarkets()
    return api
  },
  (api) => api.close(),
)
