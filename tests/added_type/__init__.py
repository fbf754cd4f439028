"""A business type that the product does not have: what a declaration alone gives it is shown by the suite itself.

`models.py` is all there is of it; `tests/access/test_added_type.py` runs the tests of the engine with it. By hand, any
tests: `pytest --ds tests.added_type.settings tests/…`.
"""
