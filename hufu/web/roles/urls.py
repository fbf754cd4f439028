from django.urls import path

from hufu.web.roles import role_views, views

urlpatterns = [
    path("", views.roles_page, name="roles"),
    path("compare/", views.compare_page, name="roles_compare"),
    path("new/", views.new_page, name="role_new"),
    path("drafted/<slug:key>/", role_views.drafted_page, name="role_drafted"),
    path("drafted/<slug:key>/grants/", role_views.change_drafted, name="role_drafted_grants"),
    path("<record:number>/", role_views.role_page, name="role"),
    path("<record:number>/grants/", role_views.change_grants, name="role_grants"),
    path("<record:number>/fields/", role_views.fields_page, name="role_fields"),
    path("<record:number>/members/", role_views.members_page, name="role_members"),
    path("<record:number>/history/", role_views.history_page, name="role_history"),
]
