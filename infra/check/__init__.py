"""Checks Bicep files against Azure's resource types, without the Bicep compiler.

Its own judgement, not the compiler's: what it accepts can still be refused by `az bicep build` or by Azure.
"""
