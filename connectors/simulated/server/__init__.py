"""The exchange on the wire: REST, WebSocket, control port, journal, and the player of the tape.

Read `embedded.py` first.
"""
