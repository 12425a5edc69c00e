"""The pages of the scaling rules and of all models."""
