"""Entry points: one flow a file, each the order of the steps and nothing else.

A flow file loaded by Prefect becomes a second copy of its module, so nothing that other code imports lives here. Its
name is verb_noun and must not be that of another module: Prefect puts this folder first on `sys.path`.
"""
