"""Customers, opportunities, and what people do with them all day."""
