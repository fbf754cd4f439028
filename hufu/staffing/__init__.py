"""Deeds on people and the organisation. The facts themselves stand in `people`."""
