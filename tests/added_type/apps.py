from django.apps import AppConfig


class AddedTypeConfig(AppConfig):
    name = "tests.added_type"
    label = "added"
