"""Everything shared that imports streamlit."""
