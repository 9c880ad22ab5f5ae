"""The keeper: decides and remembers. No network; the only owner of the box's database."""
