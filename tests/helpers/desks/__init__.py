"""Page objects: one desk for each part of the window that a person works at.

A test says what a person does and sees; only a desk knows which widgets that takes, and finds them below its root by
their type and object name. Where a widget moves or is named otherwise, its desk is what changes.
"""
