nav-flags = Flags
