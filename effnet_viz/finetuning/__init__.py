"""A published network taught other classes: pictures with labels become a network of one's own."""
