"""Workbooks: all kinds are read, XLSX is written back translated."""
