"""The steps of a change of scheduler: the one package that attaches and detaches.

``side``: what is put on or taken off by a link. ``plain``: detach one, attach another.
``gapless``: another slot of the host becomes the current one. ``names``: the places in
the BPF file system follow what runs. ``tidy``: finish or undo what a killed command
left. ``after``: the trial, and putting back what ran before.
"""
