"""The addresses of all pages."""

from django.urls import include, path, register_converter

from hufu.web.home.views import home
from hufu.web.numbers import RecordNumber, TypedNumber

# Before any address is made. `int` takes what no column holds, so no address of ours uses it.
register_converter(RecordNumber, "record")
register_converter(TypedNumber, "typed")

urlpatterns = [
    path("", home, name="home"),
    path("accounts/", include("hufu.web.accounts.urls")),
    path("accounts/", include("hufu.web.second_factor.urls")),
    path("accounts/sso/", include("hufu.web.single_sign_on.urls")),
    path("palette/", include("hufu.web.palette.urls")),
    path("", include("hufu.web.records.urls")),
    path("log/", include("hufu.web.log.urls")),
    path("people/", include("hufu.web.people.urls")),
    path("access/", include("hufu.web.access.urls")),
    path("setup/", include("hufu.web.setup.urls")),
    path("roles/", include("hufu.web.roles.urls")),
    path("roles/", include("hufu.web.giving.urls")),
    path("policy/", include("hufu.web.policy.urls")),
    path("pending/", include("hufu.web.pending.urls")),
    path("posture/", include("hufu.web.posture.urls")),
    path("requests/", include("hufu.web.requests.urls")),
    path("break-glass/", include("hufu.web.break_glass.urls")),
]
