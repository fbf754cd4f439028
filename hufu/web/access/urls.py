from django.urls import path

from hufu.web.access import mine, views, why

urlpatterns = [
    path("mine/", mine.my_access_page, name="access_mine"),
    path("why/", why.why_page, name="access_why"),
    path("who/", why.who_page, name="access_who"),
    path("compare/", views.compare_page, name="access_compare"),
    path("people/", views.people_page, name="access_people"),
]
