"""Action servers over trained models. One node per file."""
