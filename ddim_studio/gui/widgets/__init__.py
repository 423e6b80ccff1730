"""Building blocks of pages: they see pixels and numbers, never tensors, and never each other."""
