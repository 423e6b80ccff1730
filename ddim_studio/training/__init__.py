"""Training: from a set of images to a model, with the simple objective of the paper."""
