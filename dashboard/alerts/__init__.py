"""Tells people outside the pages that something waits, and a collector what was done; a process of its own."""
