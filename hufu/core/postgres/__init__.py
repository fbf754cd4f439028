"""The database server itself: the embedded one, its roles and its secrets."""
