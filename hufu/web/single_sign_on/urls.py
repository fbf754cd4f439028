from django.urls import path

from hufu.web.single_sign_on import views

urlpatterns = [
    path("<slug:key>/", views.start, name="sso_start"),
    path("<slug:key>/callback/", views.callback, name="sso_callback"),
]
