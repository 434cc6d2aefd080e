"""Rules about running: tracing, dtypes, modes, calls that raise, processes that end."""
