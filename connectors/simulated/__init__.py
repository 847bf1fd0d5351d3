"""The embedded exchange: a small BitMEX of our own, over real HTTP and WebSocket on loopback.

`engine/` is the exchange itself, pure; `tape/` makes the prices it is played; `server/` puts it on the wire.
"""
