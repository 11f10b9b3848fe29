"""Is this computer fit for a rig? Each module examines one part of it."""
