"""What the program does on request: generators of events, and the thread that runs them."""
