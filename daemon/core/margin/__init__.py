"""The liquidation engine: what positions are worth, cost and need, and where they or their account are liquidated.

Pure arithmetic on rows (`connectors.vocabulary`), without the guard's state: the daemon decides by it, `seawall calc`,
`stress` and `backtest` answer by it. Read `contracts.py` (worth and rounding), `own_liquidation.py` (the price of one
position), `account_failure.py` (the common move), `liquidation.py` (two opinions), then `what_if.py`.

Units: money in minor units of the settlement currency, prices `Decimal` in the quote currency.
"""
