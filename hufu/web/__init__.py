"""The pages: they translate a request into one query or deed and show what comes back. No rule is written here."""
