"""The tests. Shared helpers are imported from here: tests.fakes, tests.fix_postgres and so on."""
