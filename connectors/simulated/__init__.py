"""The embedded exchange: a small BitMEX of our own, over real HTTP and WebSocket on loopback."""
