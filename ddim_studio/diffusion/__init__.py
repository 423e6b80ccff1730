"""The paper: denoising diffusion implicit models, in the paper's own names.

Nothing here knows a window, a file or a checkpoint.
"""
