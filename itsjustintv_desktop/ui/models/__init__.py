"""Qt models: what lists and tables show, for views that draw only the rows in sight."""
