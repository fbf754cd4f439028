"""The addresses of access requests; the form for a record stands below the record's own address."""

from django.urls import path

from hufu.web.requests import crossings, views

urlpatterns = [
    path("", views.requests_page, name="requests"),
    path("<record:number>/", views.answer_page, name="request_answer"),
    path("<record:number>/withdraw/", views.withdraw, name="request_withdraw"),
    path("across/<record:number>/", crossings.crossing_page, name="request_crossing"),
    path("across/<record:number>/end/", crossings.crossing_end, name="request_crossing_end"),
    path("permission/<str:permission>/", views.ask_for_permission, name="request_permission"),
]
