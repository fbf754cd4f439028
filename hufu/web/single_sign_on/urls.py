from django.urls import path

from hufu.web.single_sign_on import saml_views, views

urlpatterns = [
    path("<slug:key>/", views.start, name="sso_start"),
    path("<slug:key>/callback/", views.callback, name="sso_callback"),
    path("<slug:key>/metadata/", saml_views.metadata, name="sso_metadata"),
    path("<slug:key>/answer/", saml_views.answer, name="sso_answer"),
    path("<slug:key>/arrive/", saml_views.arrive, name="sso_arrive"),
]
