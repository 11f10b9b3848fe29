"""From bags to a training store, and from there to samples; other formats in and out."""
