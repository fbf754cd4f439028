from django.urls import path

from hufu.web.giving import given, views

urlpatterns = [
    path("give/", views.give_page, name="roles_give"),
    path("give/people/", views.people, name="roles_give_people"),
    path("give/preview/", views.preview, name="roles_give_preview"),
    path("given/", given.given_page, name="roles_given"),
    path("given/<record:number>/end/", views.end_page, name="roles_given_end"),
    path("given/<record:number>/until/", views.until_page, name="roles_given_until"),
    path("given/<record:number>/undo/", views.undo, name="roles_given_undo"),
]
