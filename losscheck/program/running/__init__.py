"""Running a traced graph, one case or many at a time."""
