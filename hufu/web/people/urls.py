from django.urls import path

from hufu.web.people import views

urlpatterns = [
    path("", views.people_page, name="people"),
    path("departments/", views.departments_page, name="departments"),
    path("<int:number>/", views.person_page, name="person"),
    path(
        "<int:number>/second-factors/reset/",
        views.reset_second_factors_page,
        name="person_reset_second_factors",
    ),
]
