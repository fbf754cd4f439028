"""Customers and opportunities: the business data, reached through the guard only."""
