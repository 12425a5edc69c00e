"""Maps to pictures and files."""
