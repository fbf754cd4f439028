from django.urls import path

from hufu.web.policy import views

urlpatterns = [
    path("", views.policy_page, name="policy"),
    path("<record:number>/", views.change_set_page, name="policy_change_set"),
    path("<record:number>/approve/", views.approve, name="policy_approve"),
    path("<record:number>/reject/", views.reject, name="policy_reject"),
]
