from django.urls import path

from hufu.web.policy import views

urlpatterns = [
    path("", views.policy_page, name="policy"),
    path("<int:number>/", views.change_set_page, name="policy_change_set"),
    path("<int:number>/approve/", views.approve, name="policy_approve"),
    path("<int:number>/reject/", views.reject, name="policy_reject"),
]
