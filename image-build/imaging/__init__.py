"""How the router becomes a file for a memory card: Debian, the firmware's files, the units and the program, in slots."""
