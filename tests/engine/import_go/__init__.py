"""Moving in from the Go service."""
