"""Reports of losses that have not changed, kept from run to run in the folder `.losscheck`."""
