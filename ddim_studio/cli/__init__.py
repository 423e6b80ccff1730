"""The command line: subcommands to settings to a job, run in this thread with a progress bar."""
