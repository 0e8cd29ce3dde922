"""The settings: one schema, and where they come from."""
