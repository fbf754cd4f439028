"""How addresses of business records are made."""

from __future__ import annotations


def plural(name: str) -> str:
    """Return the English plural that stands in addresses."""
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
