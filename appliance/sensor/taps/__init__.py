"""Where frames come from: the kernel's NFLOG groups, or capture files."""
