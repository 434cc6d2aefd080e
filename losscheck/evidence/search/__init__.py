"""Where inputs make a loss fail: sweeps, guided search, and what they covered."""
