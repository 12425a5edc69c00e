"""Maps to numbers: arrays in, numbers out."""
