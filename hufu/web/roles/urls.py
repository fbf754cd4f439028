from django.urls import path

from hufu.web.roles import views

urlpatterns = [path("", views.roles_page, name="roles")]
