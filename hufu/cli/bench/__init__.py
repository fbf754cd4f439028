"""Measurements as ratios within one run, in a database of their own that is thrown away afterwards."""
