from django.urls import path

from hufu.web.pending import views

urlpatterns = [
    path("", views.pending_page, name="pending"),
    path("review/", views.review_page, name="pending_review"),
    path("<record:number>/beforehand/", views.beforehand_page, name="pending_beforehand"),
]
