"""Many visitors at once on the running app, for minutes: what breaks, what is lost, what grows."""
