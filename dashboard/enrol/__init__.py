"""Certificates of boxes: requests checked, certificates issued."""
