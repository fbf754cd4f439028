"""The decision in pure Python: scopes, terms of reach, snapshots of facts and policy, decisions that explain themselves."""
