"""BitMEX's protocol without input or output: bytes, rows and times in, bytes and values out.

Nothing here reads a clock, rolls dice, logs or waits; whoever calls passes times and jitter in.
"""
