"""Which connection a table is read and written through."""

from __future__ import annotations

from typing import Any


class CacheRouter:
    """Send the cache through the connection that commits by itself; everything else goes where it was sent."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return `autonomous` for the cache."""
        return "autonomous" if model._meta.app_label == "django_cache" else None

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """Return `autonomous` for the cache."""
        return self.db_for_read(model, **hints)
