"""How good images are: reconstruction error, likeness, and what comes of whole sets."""
