"""Networks that turn sound or a picture into one vector, chosen by name."""
