"""The weekly report: pages, pictures, tables and words, from the document of a measurement."""
