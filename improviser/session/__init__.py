"""A live session around the engine: its players, its display and page, its recording."""
