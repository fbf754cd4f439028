from django.urls import path, re_path

from hufu.web.accounts import browsers, delegations, sessions, views

# The names are allauth's; what is not listed here (sign-up, mail addresses, social accounts) does not exist.
urlpatterns = [
    path("login/", views.sign_in, name="account_login"),
    path("logout/", views.sign_out, name="account_logout"),
    path("demo/", views.sign_in_as, name="demo_sign_in"),
    path("password/change/", views.change_password, name="account_change_password"),
    path("sessions/", sessions.my_sessions, name="my_sessions"),
    path("sessions/<record:session>/end/", sessions.end_mine, name="my_session_end"),
    path("sessions/end-others/", sessions.end_my_others, name="my_sessions_end"),
    path("delegations/", delegations.my_delegations, name="my_delegations"),
    path("delegations/<record:delegation>/end/", delegations.end_delegation, name="my_delegation_end"),
    path("devices/trust/", browsers.trust, name="my_device_trust"),
    path("devices/<record:device>/trust/end/", browsers.end_trust, name="my_device_trust_end"),
    path("devices/<record:device>/confirm/", browsers.confirm, name="my_device_confirm"),
    path("devices/<record:device>/forget/", browsers.forget, name="my_device_forget"),
    re_path(
        r"^password/link/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.set_password,
        name="account_reset_password_from_key",
    ),
]
