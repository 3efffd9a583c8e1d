"""Patches of Panel, Bokeh and Tornado, and uses of their private members: one fault a file.

Each function says what it patches, in which version, and the upstream issue. If a name is no longer
there, it warns and patches nothing: the page still works, if more slowly.
"""
