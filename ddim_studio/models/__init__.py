"""Checkpoints: what can be opened, what is in it, and how it becomes a `Denoiser`."""
