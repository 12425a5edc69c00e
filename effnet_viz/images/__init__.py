"""Bytes that nobody vouches for to the tensor that a model sees."""
