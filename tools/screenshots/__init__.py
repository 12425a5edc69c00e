"""Screenshots of every page as visitors see it: `python -m tools.screenshots` (minutes)."""
