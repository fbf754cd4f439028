from django.urls import path

from hufu.web.log import views

urlpatterns = [
    path("", views.log_page, name="log"),
    path("<uuid:event_id>/", views.entry_page, name="log_entry"),
]
