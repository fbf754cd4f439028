from django.urls import path

from hufu.web.access.views import rights_page
from hufu.web.people import accounts, views

urlpatterns = [
    path("", views.people_page, name="people"),
    path("departments/", views.departments_page, name="departments"),
    path("<record:number>/", views.person_page, name="person"),
    path("<record:number>/rights/", rights_page, name="person_rights"),
    path(
        "<record:number>/second-factors/reset/",
        views.reset_second_factors_page,
        name="person_reset_second_factors",
    ),
    path("<record:number>/suspend/", accounts.suspend_page, name="person_suspend"),
    path("<record:number>/reactivate/", accounts.reactivate_page, name="person_reactivate"),
    path("<record:number>/link/", accounts.link_page, name="person_link"),
    path(
        "<record:number>/devices/<record:device>/forget/", accounts.forget_device, name="person_device_forget"
    ),
    path(
        "<record:number>/devices/<record:device>/trust/end/",
        accounts.end_device_trust,
        name="person_device_trust_end",
    ),
    path("<record:number>/sessions/end/", accounts.end_sessions, name="person_sessions_end"),
    path("<record:number>/sessions/<record:session>/end/", accounts.end_session, name="person_session_end"),
]
