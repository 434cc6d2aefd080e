"""What the user asked for: on the command line, in the configuration, in decorators."""
