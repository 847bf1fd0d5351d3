"""`seawall web`: the guard's picture of itself in a browser, from a process that holds no key."""
