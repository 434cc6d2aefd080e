"""From tasks to a report: what is examined, in which process, and what is said of it."""
