"""Which of two versions of a scheduler's source differs, in which callback, in instructions.

``version`` finds the two, ``measure`` runs one under one seed, ``account`` reads what it did,
``compare`` says in which callbacks they differ, ``lines`` on which lines, ``search`` looks for the
first of many revisions that does, ``command`` is the command.
"""
