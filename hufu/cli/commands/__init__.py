"""One module per command; `hufu.cli.main` finds them by name."""
