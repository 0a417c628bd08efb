"""What a person may ask of an engine: one small file an area, put together in `api.Api`. Importing it loads nothing."""
