from django.urls import path

from hufu.web.roles import views

urlpatterns = [path("", views.roles_page, name="roles"), path("given/", views.given_page, name="roles_given")]
