"""Backups on the disk: `<directory>/<instance>/<kind>/<id>/`, whole or not at all. The manifests there are the truth.

Nothing is imported here: the child that encrypts (`sealing`) starts with every member of a dump.
"""
