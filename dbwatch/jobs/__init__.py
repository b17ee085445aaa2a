"""What takes long and is done now and then: backups, their proofs, restores, drills. Bytes never pass through here."""
