"""Authorization: what is declared, who holds what, and the one guard before business data."""
