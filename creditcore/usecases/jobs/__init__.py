"""Jobs, run by any number of workers."""
