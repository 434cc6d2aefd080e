"""Changes of the user's source that cure a finding: made, tried in memory, and told as a diff."""
