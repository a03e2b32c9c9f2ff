"""COCO's JSON files as columns, with the place of each value, and edited where they stand.

`recognising` says from the first bytes which of COCO's files one is. `dataset` reads images,
categories and annotations, `results` what a detector found; `ids` are what entries are referred to
by. `edits` changes single values, and takes entries out or adds some; every other byte stays.
"""
