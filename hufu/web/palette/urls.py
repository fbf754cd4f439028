"""The address of the palette."""

from django.urls import path

from hufu.web.palette.views import palette

urlpatterns = [path("", palette, name="palette")]
