"""What a visitor chooses: image, model, networks, class, stage."""
