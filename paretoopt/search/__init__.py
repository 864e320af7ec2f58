"""Search: a study that draws candidates, evaluates each once, and survives being killed. Optuna lives here only."""
