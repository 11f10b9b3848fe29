"""Simulated collection faster than real time: the live graph's cores without its transport."""
