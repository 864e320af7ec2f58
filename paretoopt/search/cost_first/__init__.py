"""The default search: costs are known before training, quality is modelled, and work already paid for is used first."""
