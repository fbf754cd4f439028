"""Backups: one sealed file each, what is in it, and which of them are kept."""
