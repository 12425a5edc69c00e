"""Activations to maps: arrays in, signed maps in units of the logit out."""
