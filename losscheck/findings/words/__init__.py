"""Message, cause and fix by rule."""
