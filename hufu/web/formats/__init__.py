"""How numbers are written, where Django's own formats differ from what people expect here."""
