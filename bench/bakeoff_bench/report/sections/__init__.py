"""One module per section of a report; each knows one kind of stored run."""
