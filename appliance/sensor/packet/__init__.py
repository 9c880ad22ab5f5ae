"""Sans-IO parsers of hostile bytes, one protocol a module.

A parser has three outcomes: an object, None (more bytes are needed), or `ParseError`. None of
them recurses, reads a clock, or keeps state beyond what its docstring bounds.
"""
