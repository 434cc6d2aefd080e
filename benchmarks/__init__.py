"""losscheck measured beside what else checks gradients; `make bench-gradient` runs it all."""
