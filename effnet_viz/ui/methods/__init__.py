"""The page that shows many methods side by side, and which of them to trust."""
