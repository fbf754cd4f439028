"""Hufu CRM: an open, self-hosted CRM whose heart is authorization."""

__version__ = "0.1.0"
