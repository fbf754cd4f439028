"""The demo company: invented people, customers and opportunities, the same ones for the same seed and day."""
