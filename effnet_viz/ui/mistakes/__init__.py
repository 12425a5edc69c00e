"""The page that shows what a network of one's own goes by, and where it goes wrong."""
