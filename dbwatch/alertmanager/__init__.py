"""What others are told over HTTP: alerts to every replica of Alertmanager, that we live to a dead man's switch."""
