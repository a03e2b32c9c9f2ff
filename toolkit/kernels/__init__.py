"""Compiled loops on flat arrays, and what runs them over blocks of rows on all cores.

Kernels trust their input: a public function calls `goldlabel.inputs.check` first, always.
"""
