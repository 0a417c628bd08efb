"""Everything a person edits: one file a topic, put together in `settings.Settings`."""
