"""The REST half of the embedded exchange: the door, the table of routes and their handlers."""
