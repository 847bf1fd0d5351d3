"""One state machine for each table of states in the guard; `test_every_table.py` keeps the list."""
