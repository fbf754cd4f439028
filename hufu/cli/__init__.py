"""The `hufu` command: a door for people and programs at a terminal."""
