"""The page of the scaling lab."""
