"""A policy over history: the real core against the embedded exchange, in one process and in virtual time.

`seawall backtest` opens the same positions on guarded and unguarded accounts, plays candles as fast as the machine can
and reports what the guard was worth. See `play.py` for the order of things, docs/backtest.md for what it says and does
not say.
"""
