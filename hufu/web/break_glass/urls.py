"""The addresses of break-glass."""

from django.urls import path

from hufu.web.break_glass import views

urlpatterns = [
    path("", views.break_glass_page, name="break_glass"),
    path("<record:use>/end/", views.end, name="break_glass_end"),
    path("<record:use>/review/", views.review, name="break_glass_review"),
]
