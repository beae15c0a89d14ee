"""Schedulers made elsewhere: objects built against the sched-ext project's headers.

Their own loaders do a few things between opening such an object and attaching it. What
any loader would do is done here (``adapt``); what only that one program's other half can
do is recognised and told (``halves``); so is what such a scheduler does not honour
(``ignores``) and what it counts (``counters``). ``shape`` knows the conventions.
"""
