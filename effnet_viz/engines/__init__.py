"""A tensor to activations and gradients: networks as stages, and what runs them."""
