"""The notice page on the LAN: hostile HTTP in, one plain page out.

Anybody in the household may read it without signing in: what this box is, what it keeps and of
which devices, what it cannot see, whom to ask, how to complain. The process holds no capability,
opens no port (its listener is passed in) and keeps nothing about who asked.
"""
