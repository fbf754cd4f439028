"""The entry of the web server."""

import os

from django.core.wsgi import get_wsgi_application

from hufu.core import text

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hufu.config.settings")

application = get_wsgi_application()
# The first visitor who saves a name or searches by its sound does not wait for the dictionaries.
text.prepare()
