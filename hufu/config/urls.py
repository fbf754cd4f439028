"""The addresses of the site."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("hufu.web.urls"))]

handler400 = "hufu.web.errors.bad_request"
handler403 = "hufu.web.errors.denied"
handler404 = "hufu.web.errors.not_found"
handler429 = "hufu.web.errors.too_many"
handler500 = "hufu.web.errors.server_error"
