"""Moving in from the Go service: its files are read, never changed; see run.py for the order of things."""
