"""Many visitors at once, over Streamlit's own protocol: `python -m tools.load --help`."""
