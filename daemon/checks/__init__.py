"""The single checks of `seawall check`: the machine, the wishes, the key, and a rehearsal that sends nothing."""
