from django.urls import path

from hufu.web.setup import views

urlpatterns = [
    path("", views.code, name="setup"),
    path("company/", views.company, name="setup_company"),
    path("people/", views.people, name="setup_people"),
]
