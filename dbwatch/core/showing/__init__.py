"""Values, tables and trees as people read them in a terminal, a mail or on a page. Pure."""
