"""What runs on the box: one process a room, joined by typed socket messages."""
