"""List, record, create, edit and deeds: one set of pages for every registered type.

A view asks one query or deed of hufu.crm and shows what comes back; who may do what is decided there.
"""
