"""Problems on which other tools have published what they reach, written anew as losses."""
