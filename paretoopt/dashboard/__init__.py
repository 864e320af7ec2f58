"""The report of a running study, served to browsers on this machine, and kept up to date."""
