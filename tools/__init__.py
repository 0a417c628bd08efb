"""What is run by hand for the project itself, and not part of the program."""
