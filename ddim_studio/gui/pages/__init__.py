"""The pages of the window: each composes widgets, and asks for jobs with signals."""
