"""Facts about people: users, departments, levels, the reporting line. Deeds on them stand in `staffing`."""
