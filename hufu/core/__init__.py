"""What every other package stands on: actor, clock, errors, money, transactions, the database server. No models."""
