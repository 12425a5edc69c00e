"""What one visitor, or many, can do to a server that others use: measured, with requirements."""
