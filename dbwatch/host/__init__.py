"""The machine that a server and dbwatch share: room on its file systems, the server's own processes, its load."""
