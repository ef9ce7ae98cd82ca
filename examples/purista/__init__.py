"""Services of the order saga that are written with PURISTA, behind our bridge; see docs/purista.md."""
