"""The decision in pure Python: scopes, terms of reach, snapshots, decisions that explain themselves."""
