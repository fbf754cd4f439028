from django.urls import path

from hufu.web.posture import views

urlpatterns = [
    path("", views.posture_page, name="posture"),
    path("<slug:key>/", views.finding_page, name="posture_finding"),
]
