"""Looks at what is installed: `python -m tools.audit` for pins, licences and known weaknesses."""
