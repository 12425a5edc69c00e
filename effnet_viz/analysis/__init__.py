"""The steps in order: an image and models in, results with their provenance out."""
