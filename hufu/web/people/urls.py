from django.urls import path

from hufu.web.people import accounts, views

urlpatterns = [
    path("", views.people_page, name="people"),
    path("departments/", views.departments_page, name="departments"),
    path("<int:number>/", views.person_page, name="person"),
    path(
        "<int:number>/second-factors/reset/",
        views.reset_second_factors_page,
        name="person_reset_second_factors",
    ),
    path("<int:number>/suspend/", accounts.suspend_page, name="person_suspend"),
    path("<int:number>/reactivate/", accounts.reactivate_page, name="person_reactivate"),
    path("<int:number>/link/", accounts.link_page, name="person_link"),
    path("<int:number>/devices/<int:device>/forget/", accounts.forget_device, name="person_device_forget"),
    path(
        "<int:number>/devices/<int:device>/trust/end/",
        accounts.end_device_trust,
        name="person_device_trust_end",
    ),
    path("<int:number>/sessions/end/", accounts.end_sessions, name="person_sessions_end"),
    path("<int:number>/sessions/<int:session>/end/", accounts.end_session, name="person_session_end"),
]
