"""The settings of the product, with one more app: sites and their inspections."""

from hufu.config.settings import *  # noqa: F403
from hufu.config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.added_type"]
