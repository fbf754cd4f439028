from django.urls import path

from hufu.web.second_factor import views
from hufu.web.second_factor.step_up import step_up

# The names are allauth's.
urlpatterns = [
    path("second-factor/", views.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", views.password_again, name="account_reauthenticate"),
    path("step-up/", step_up, name="step_up"),
    path("security/", views.security, name="mfa_index"),
    path("security/code/", views.prove_again, name="mfa_reauthenticate"),
    path("security/app/", views.activate_app, name="mfa_activate_totp"),
    path("security/app/remove/", views.remove_app, name="mfa_deactivate_totp"),
    path("security/passkeys/add/", views.add_passkey, name="mfa_add_webauthn"),
    path("security/passkeys/<record:pk>/rename/", views.rename_passkey, name="mfa_edit_webauthn"),
    path("security/passkeys/<record:pk>/remove/", views.remove_passkey, name="mfa_remove_webauthn"),
    path("security/recovery-codes/", views.show_recovery_codes, name="mfa_view_recovery_codes"),
    path("security/recovery-codes/new/", views.make_recovery_codes, name="mfa_generate_recovery_codes"),
]
