"""What lists and tables show, read from the engine a page at a time."""
