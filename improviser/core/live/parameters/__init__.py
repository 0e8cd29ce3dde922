"""The live parameters: their table, what each may be, and how values come in."""
