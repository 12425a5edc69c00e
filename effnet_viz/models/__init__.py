"""A key, a checkpoint or a module to a model that can look at images."""
