"""The shell: carries events to the core and its commands to the venue, and holds no opinions."""
