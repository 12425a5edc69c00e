"""The page that explains one image."""
