"""A guest with Debian's kernel and this machine's files: for what the machine's own kernel cannot do, such as Wi-Fi."""
