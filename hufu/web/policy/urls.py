from django.urls import path

from hufu.web.policy import draft_views, version_views, views

urlpatterns = [
    path("", views.policy_page, name="policy"),
    path("<record:number>/", views.change_set_page, name="policy_change_set"),
    path("<record:number>/approve/", views.approve, name="policy_approve"),
    path("<record:number>/reject/", views.reject, name="policy_reject"),
    path("<record:number>/rebase/", views.rebase, name="policy_rebase"),
    path("<record:number>/withdraw/", views.withdraw, name="policy_withdraw"),
    path("versions/<record:number>/", version_views.version_page, name="policy_version"),
    path("versions/<record:number>/return/", version_views.roll_back, name="policy_roll_back"),
    path("draft/", draft_views.draft_page, name="policy_draft"),
    path("draft/impact/", draft_views.impact, name="policy_draft_impact"),
    path("draft/undo/", draft_views.undo, name="policy_draft_undo"),
    path("draft/discard/", draft_views.discard, name="policy_draft_discard"),
    path("draft/carry/", draft_views.carry_over, name="policy_draft_carry"),
]
