"""Backups as values: what a set is, what is proven of it, which may go, and what a job came to."""
