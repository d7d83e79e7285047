"""The calls of other libraries, done by alphacut: one module each, for programs that change their import alone."""
