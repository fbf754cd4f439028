"""Figures for whoever watches the site, in the format of Prometheus. No label names a person, a record or a path."""

ADDRESS = "/metrics"
