"""The command line. Each verb is a module, loaded when it is asked for; browsing loads no torch."""
