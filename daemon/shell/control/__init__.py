"""The control API: HTTP on the guard's own socket, the one door through which people, bots and pages reach a guard."""
