"""From what a rule says to what a person is told: states of alerts, who is muted, and which letters are due. Pure."""
