"""What traffic and silence may mean: signals and activity in, graded signs out. Pure."""
