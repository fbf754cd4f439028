"""What the CRM declares: its types, their fields and permissions."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hufu.access.registry import (
    Field,
    Kind,
    ResourceType,
    Search,
    Sensitivity,
    declare_type,
    following_permissions,
    record_permissions,
)
from hufu.audit import declare_pool_events, declare_record_events

STAGES_OF_CUSTOMER = (
    ("new", _("To be contacted")),
    ("following", _("Following up")),
    ("won", _("Won")),
    ("lost", _("Lost")),
)
CUSTOMER_LEVELS = (
    ("A", _("A strategic")),
    ("B", _("B key")),
    ("C", _("C regular")),
    ("D", _("D small")),
)
INDUSTRIES = (
    ("manufacturing", _("Manufacturing")),
    ("machinery", _("Machinery and equipment")),
    ("automotive", _("Automotive")),
    ("electronics", _("Electronics")),
    ("energy", _("Energy")),
    ("chemicals", _("Chemicals")),
    ("construction", _("Construction")),
    ("logistics", _("Logistics")),
    ("retail", _("Retail")),
    ("food", _("Food and beverages")),
    ("medical", _("Medical")),
    ("education", _("Education")),
    ("finance", _("Finance")),
    ("technology", _("Technology")),
    ("software", _("Software")),
    ("telecommunications", _("Telecommunications")),
    ("media", _("Media and entertainment")),
    ("marketing", _("Marketing")),
    ("employment", _("Employment services")),
    ("services", _("Business services")),
    ("public", _("Public sector")),
    ("other", _("Other")),
)
SOURCES = (
    ("exhibition", _("Exhibition")),
    ("referral", _("Referral")),
    ("website", _("Website")),
    ("phone", _("Phone")),
    ("advertising", _("Advertising")),
    ("partner", _("Partner")),
    ("tender", _("Tender")),
    ("import", _("Import")),
    ("other", _("Other")),
)
STAGES_OF_OPPORTUNITY = (
    ("prospecting", _("Prospecting")),
    ("engaging", _("Engaging")),
    ("proposal", _("Proposal")),
    ("negotiation", _("Negotiation")),
    ("won", pgettext_lazy("opportunity", "Won")),
    ("lost", pgettext_lazy("opportunity", "Lost")),
)

CURRENCIES = (
    ("CNY", _("CNY Chinese yuan")),
    ("USD", _("USD US dollar")),
    ("EUR", _("EUR euro")),
    ("HKD", _("HKD Hong Kong dollar")),
    ("GBP", _("GBP pound sterling")),
)

DECISION_ROLES = (
    ("decides", _("Decides")),
    ("advises", _("Advises")),
    ("uses", _("Uses it")),
    ("pays", _("Pays")),
    ("introduces", _("Opens doors")),
    ("opposes", _("Opposes")),
)

KEPT = (
    Field("partition", _("Partition"), Kind.PARTITION, system=True, filterable=True),
    Field("external_id", _("External number"), Kind.CODE, system=True, max_length=120, search=Search.EXACT),
    Field("created_at", _("Created"), Kind.TIMESTAMP, system=True, sort="created_at"),
    Field("updated_at", _("Updated"), Kind.TIMESTAMP, system=True, sort="updated_at", in_list=True),
)

OWNED = (
    Field("owner", _("Owner"), Kind.USER, system=True, filterable=True, in_list=True),
    Field("department", _("Department"), Kind.DEPARTMENT, system=True, filterable=True, in_list=True),
    *KEPT,
)

declare_record_events("customer", _("Customer"))
declare_pool_events("customer", _("Customer"))
declare_record_events("opportunity", _("Opportunity"))
declare_record_events("contact", _("Contact"), owned=False)

CUSTOMER = declare_type(
    ResourceType(
        name="customer",
        label=_("Customer"),
        label_plural=_("Customers"),
        model="crm.Customer",
        icon="building",
        pooled=True,
        permissions=record_permissions(
            "customer",
            label={
                "view": _("View customers"),
                "create": _("Create customers"),
                "edit": _("Edit customers"),
                "delete": _("Delete customers"),
                "transfer": _("Transfer customers"),
                "restore": _("Restore customers from the bin"),
                "purge": _("Delete customers for good"),
                "share": _("Manage the teams of customers"),
                "move_partition": _("Move customers to another partition"),
                "void": _("Void customers"),
                "lock": _("Lock customers"),
                "import": _("Import customers"),
                "claim": _("Claim customers from the pool"),
                "reveal": _("See masked fields of customers"),
                "check_duplicate": _("Check for duplicates of customers"),
                "steward": _("Look after duplicates of customers"),
            },
        ),
        fields=(
            Field(
                "name",
                _("Customer name"),
                required=True,
                search=Search.PREFIX,
                sort="name_sort",
                in_list=True,
                checkable=True,
            ),
            Field(
                "customer_level",
                _("Customer level"),
                Kind.CHOICE,
                choices=CUSTOMER_LEVELS,
                filterable=True,
                sort="customer_level",
                in_list=True,
            ),
            Field(
                "stage",
                _("Stage"),
                Kind.CHOICE,
                choices=STAGES_OF_CUSTOMER,
                required=True,
                filterable=True,
                in_list=True,
            ),
            Field(
                "phone",
                _("Phone"),
                Kind.PHONE,
                Sensitivity.PERSONAL,
                max_length=40,
                search=Search.EXACT,
                in_list=True,
                checkable=True,
            ),
            Field("industry", _("Industry"), Kind.CHOICE, choices=INDUSTRIES, filterable=True, in_list=True),
            Field("source", _("Source"), Kind.CHOICE, choices=SOURCES, filterable=True),
            Field("region", _("Region"), max_length=80, in_rules=True),
            Field(
                "code",
                _("Unified social credit code"),
                Kind.CODE,
                max_length=32,
                search=Search.EXACT,
                checkable=True,
                exclusive=True,
                help=_("18 characters; old 15-digit registration numbers are kept as they are."),
            ),
            Field("website", _("Website"), Kind.URL),
            Field("address", _("Address"), max_length=300),
            Field("employees", _("Employees"), Kind.INTEGER),
            Field("annual_revenue", _("Annual revenue (CNY)"), Kind.MONEY),
            Field("founded", _("Founded in"), Kind.INTEGER, smallest=1000, largest=2999),
            Field("parent_company", _("Parent company")),
            Field("note", _("Note"), Kind.LONG_TEXT, max_length=10_000),
            *OWNED,
        ),
    )
)

OPPORTUNITY = declare_type(
    ResourceType(
        name="opportunity",
        label=_("Opportunity"),
        label_plural=_("Opportunities"),
        model="crm.Opportunity",
        icon="target-arrow",
        permissions=record_permissions(
            "opportunity",
            label={
                "view": _("View opportunities"),
                "create": _("Create opportunities"),
                "edit": _("Edit opportunities"),
                "delete": _("Delete opportunities"),
                "transfer": _("Transfer opportunities"),
                "restore": _("Restore opportunities from the bin"),
                "purge": _("Delete opportunities for good"),
                "share": _("Manage the teams of opportunities"),
                "move_partition": _("Move opportunities to another partition"),
                "void": _("Void opportunities"),
                "lock": _("Lock opportunities"),
                "import": _("Import opportunities"),
            },
        ),
        fields=(
            Field(
                "name",
                _("Opportunity name"),
                required=True,
                search=Search.PREFIX,
                sort="name_sort",
                in_list=True,
            ),
            Field(
                "customer", _("Customer"), Kind.REFERENCE, reference="customer", filterable=True, in_list=True
            ),
            Field(
                "stage",
                _("Stage"),
                Kind.CHOICE,
                choices=STAGES_OF_OPPORTUNITY,
                required=True,
                filterable=True,
                in_list=True,
            ),
            Field("amount", _("Amount"), Kind.MONEY, sort="amount", in_list=True, currency="currency"),
            Field("currency", _("Currency"), Kind.CHOICE, choices=CURRENCIES),
            Field("product", _("Product"), max_length=120),
            Field("opened_on", _("Opened on"), Kind.DATE),
            Field("expected_close", _("Expected close"), Kind.DATE, sort="expected_close", in_list=True),
            Field("closed_on", _("Closed on"), Kind.DATE),
            Field("note", _("Note"), Kind.LONG_TEXT, max_length=10_000),
            *OWNED,
        ),
    )
)

CONTACT = declare_type(
    ResourceType(
        name="contact",
        label=_("Contact"),
        label_plural=_("Contacts"),
        model="crm.Contact",
        icon="address-book",
        parent="customer",
        is_person=True,
        permissions=following_permissions(
            "contact",
            label={
                "view": _("View contacts"),
                "create": _("Create contacts"),
                "edit": _("Edit contacts"),
                "delete": _("Delete contacts"),
                "restore": _("Restore contacts from the bin"),
                "purge": _("Delete contacts for good"),
                "reveal": _("See masked fields of contacts"),
                "disclose": _("Make copies of a contact's data"),
                "erase": _("Erase contacts as persons"),
            },
        ),
        fields=(
            Field(
                "name",
                _("Name of the contact"),
                required=True,
                search=Search.PREFIX,
                sort="name_sort",
                in_list=True,
            ),
            Field(
                "customer",
                _("Customer"),
                Kind.REFERENCE,
                reference="customer",
                system=True,
                filterable=True,
                in_list=True,
            ),
            Field("title", _("Title"), max_length=80, in_list=True),
            Field(
                "decision_role",
                _("Role in the decision"),
                Kind.CHOICE,
                choices=DECISION_ROLES,
                filterable=True,
                in_list=True,
            ),
            Field(
                "phone",
                _("Phone"),
                Kind.PHONE,
                Sensitivity.PERSONAL,
                max_length=40,
                search=Search.EXACT,
                checkable=True,
                in_list=True,
            ),
            Field("email", _("Mail"), Kind.EMAIL, Sensitivity.PERSONAL, max_length=254, in_list=True),
            Field("wechat", _("WeChat"), Kind.TEXT, Sensitivity.PERSONAL, max_length=64, encrypted=True),
            Field(
                "id_number",
                _("Identity number"),
                Kind.IDENTITY_NUMBER,
                Sensitivity.PERSONAL,
                max_length=24,
                search=Search.EXACT,
            ),
            Field(
                "address", _("Private address"), Kind.PRIVATE_ADDRESS, Sensitivity.PERSONAL, max_length=300
            ),
            Field("note", _("Note"), Kind.LONG_TEXT, max_length=10_000),
            *KEPT,
        ),
    )
)
